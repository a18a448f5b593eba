"""Every category: its name, its size, its looks."""

import numpy as np
import pytest

from folk_ros.training.scenes.objects.catalog import CATEGORIES, FAMILIES, VARIANTS
from folk_ros.training.scenes.rendering.primitives import bounds

SCANNET200 = """
    wall chair floor table door couch cabinet shelf desk office_chair bed pillow sink picture
    window toilet bookshelf monitor curtain book armchair coffee_table box refrigerator lamp
    kitchen_cabinet towel clothes tv nightstand counter dresser stool cushion plant ceiling
    bathtub end_table dining_table keyboard bag backpack toilet_paper printer tv_stand
    whiteboard blanket shower_curtain trash_can closet stairs microwave stove shoe
    computer_tower bottle bin ottoman bench board washing_machine mirror copier basket
    sofa_chair file_cabinet fan laptop shower paper person paper_towel_dispenser oven blinds
    rack plate blackboard piano suitcase rail radiator recycling_bin container wardrobe
    soap_dispenser telephone bucket clock stand light laundry_basket pipe clothes_dryer guitar
    toilet_paper_holder seat speaker column bicycle ladder bathroom_stall shower_wall cup
    jacket storage_bin coffee_maker dishwasher paper_towel_roll machine mat windowsill bar
    toaster bulletin_board ironing_board fireplace soap_dish kitchen_counter doorframe
    toilet_paper_dispenser mini_fridge fire_extinguisher ball hat shower_curtain_rod
    water_cooler paper_cutter tray shower_door pillar ledge toaster_oven mouse
    toilet_seat_cover_dispenser furniture cart storage_container scale tissue_box light_switch
    crate power_outlet decoration sign projector closet_door vacuum_cleaner candle plunger
    stuffed_animal headphones dish_rack broom guitar_case range_hood dustpan hair_dryer
    water_bottle handicap_bar purse vent shower_floor water_pitcher mailbox bowl paper_bag
    alarm_clock music_stand projector_screen divider laundry_detergent bathroom_counter object
    bathroom_vanity closet_wall laundry_hamper bathroom_stall_door ceiling_light trash_bin
    dumbbell stair_rail tube bathroom_cabinet cd_case closet_rod coffee_kettle structure
    shower_head keyboard_piano case_of_water_bottles coat_rack storage_organizer folded_chair
    fire_alarm power_strip calendar poster potted_plant luggage mattress
"""
ALL = {**CATEGORIES, **VARIANTS}
SEEDS = range(12)
FEW = range(5)


def test_every_name_is_a_scannet200_label():
    labels = {label.replace('_', ' ') for label in SCANNET200.split()}
    assert len(labels) == 200
    assert {category.name for category in ALL.values()} <= labels


@pytest.mark.parametrize('name', ALL)
def test_a_category_keeps_to_its_stated_size_and_rests_on_its_support(name):
    category = ALL[name]
    for seed in SEEDS:
        made = category.make(np.random.default_rng(seed))
        low, high = bounds(made.parts)
        assert abs(low[2]) < 1e-9
        size = high - low
        assert (size >= np.array(category.low) - 1e-6).all(), (seed, size)
        assert (size <= np.array(category.high) + 1e-6).all(), (seed, size)


@pytest.mark.parametrize('name', ALL)
def test_a_category_has_several_looks_and_the_same_look_for_the_same_seed(name):
    made = [ALL[name].make(np.random.default_rng(seed)) for seed in (1, 1, 2, 3, 4, 5)]

    def look(m):
        return repr([(p.material, p.centre.tolist(), p.half.tolist()) for p in m.parts])

    looks = [look(m) for m in made]
    assert looks[0] == looks[1]
    assert len(set(looks[1:])) >= 4


@pytest.mark.parametrize('name', ALL)
def test_captions_name_the_object_and_say_its_colour_and_use(name):
    category = ALL[name]
    made = category.make(np.random.default_rng(0))
    captions = category.captions(made)
    assert captions[0] == category.name
    assert set(category.words) <= set(captions) and set(category.says) <= set(captions)
    assert len(captions) == len(set(captions)) >= 5
    assert any(made.colour in caption for caption in captions)
    assert not any('  ' in caption or caption.startswith('a a') for caption in captions)


def test_things_can_stand_on_a_support_without_cutting_into_it():
    for name, category in ALL.items():
        for seed in SEEDS:
            made = category.make(np.random.default_rng(seed))
            for support in made.supports:
                assert support.low[0] < support.high[0] and support.low[1] < support.high[1], name
                assert support.z <= bounds(made.parts)[1][2] + 1e-6, name


def test_there_are_many_categories_and_a_share_of_them_is_novel():
    names = [category.name for family in FAMILIES for category in family.CATEGORIES]
    assert len(names) == len(set(names)) >= 60
    assert sum(category.novel for category in CATEGORIES.values()) >= 12


def articled(words):
    return [f'{article}{words}' for article in ('', 'a ', 'an ', 'the ')]


def test_every_category_can_be_asked_for_in_other_words_and_by_its_looks():
    for name, category in ALL.items():
        assert len(category.words) + len(category.says) >= 2, name
        for seed in FEW:
            made = category.make(np.random.default_rng(seed))
            captions = category.captions(made)
            assert any(made.colour in c and len(c.split()) > 1 for c in captions), name
            assert any(made.stuff in c for c in captions), name


def test_no_caption_is_the_name_of_another_category():
    taken = {phrase: name for name in CATEGORIES for phrase in articled(name)}
    for category in ALL.values():
        for seed in range(4):
            for caption in category.captions(category.make(np.random.default_rng(seed))):
                assert taken.get(caption, category.name) == category.name, caption


def test_no_synonym_belongs_to_two_categories():
    owner = {}
    for category in ALL.values():
        for word in category.words:
            assert owner.setdefault(word, category.name) == category.name, word


def test_captions_are_english():
    for category in ALL.values():
        for seed in FEW:
            for caption in category.captions(category.make(np.random.default_rng(seed))):
                words = caption.split()
                assert not any(a == b for a, b in zip(words, words[1:], strict=False)), caption
                if words[0] in ('a', 'an'):
                    vowel = words[1][0] in 'aeiou' and words[1] != 'one'
                    assert (words[0] == 'an') == vowel, caption


def test_tall_is_said_of_the_tall_and_small_of_the_small_alone():
    shelf, cup = ALL['shelf'], ALL['cup']
    heights = {'tall': [], 'low': [], '': []}
    for seed in range(60):
        made = shelf.make(np.random.default_rng(seed))
        heights[shelf.size_word(made)].append(bounds(made.parts)[1][2])
        assert cup.size_word(cup.make(np.random.default_rng(seed))) in ('large', 'small', '')
    assert max(heights['low']) < min(heights['']) < max(heights['']) < min(heights['tall'])


def test_things_to_sit_on_and_at_come_in_different_shapes():
    for name in ('chair', 'armchair', 'couch', 'table', 'desk', 'bed', 'door', 'cup', 'clock'):
        forms = {ALL[name].make(np.random.default_rng(seed)).form for seed in range(40)}
        assert len(forms) >= 2, name


def test_flat_things_on_walls_have_depth():
    for name in ('clock', 'mirror', 'picture', 'blinds', 'whiteboard', 'bulletin board'):
        for seed in SEEDS:
            low, high = bounds(ALL[name].make(np.random.default_rng(seed)).parts)
            assert high[0] - low[0] >= 0.025, name


def test_a_stretched_object_is_wider_and_nothing_else():
    made = ALL['kitchen counter'].make(np.random.default_rng(0))
    wide = made.stretched(1.5)
    low, high = bounds(made.parts)
    wide_low, wide_high = bounds(wide.parts)
    assert np.allclose((wide_high - wide_low) / (high - low), (1, 1.5, 1))
    assert wide.supports[0].high[1] == pytest.approx(1.5 * made.supports[0].high[1])
