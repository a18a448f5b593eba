import torch

from folk_ros.student.query_sources import furthest_points


def test_each_point_is_as_far_as_can_be_from_all_before_it():
    torch.manual_seed(0)
    coords = torch.randint(0, 40, (300, 3)).unique(dim=0)
    chosen = furthest_points(coords, 12).tolist()
    assert chosen[0] == 0
    for index in range(1, 12):
        nearest = [
            min(float((coords[row] - coords[old]).square().sum()) for old in chosen[:index])
            for row in range(len(coords))
        ]
        assert nearest[chosen[index]] == max(nearest)


def test_of_few_points_each_is_chosen_once():
    coords = torch.tensor([[0, 0, 0], [0, 0, 1], [5, 0, 0]])
    assert sorted(furthest_points(coords, 10).tolist()) == [0, 1, 2]
