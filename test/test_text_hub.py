import pytest

from folk_ros.text_hub import clip_place, download, download_tokenizer


def test_an_entry_names_a_file_or_leaves_it_to_custom():
    assert clip_place({'hf_hub': 'timm/clip/model.bin'}) == ('timm/clip', ('model.bin',))
    repository, names = clip_place({'hf_hub': 'timm/clip/'})
    assert repository == 'timm/clip' and names[0] == 'open_clip_model.safetensors'
    assert clip_place({})[0] == ''


def test_the_first_file_that_is_there_is_taken(monkeypatch):
    from huggingface_hub.errors import EntryNotFoundError

    def hub(repository, name):
        if name == 'a':
            raise EntryNotFoundError('404')
        return f'/cache/{repository}/{name}'

    monkeypatch.setattr('huggingface_hub.hf_hub_download', hub)
    assert str(download('own/er', ['a', 'b'])) == '/cache/own/er/b'
    with pytest.raises(RuntimeError, match='own/er: has none of the files'):
        download('own/er', ['a'])


def test_without_a_network_one_sentence_says_so(monkeypatch):
    def hub(*_, **__):
        raise ConnectionError('Name or service not known\nRetrying')

    monkeypatch.setattr('huggingface_hub.hf_hub_download', hub)
    monkeypatch.setattr('huggingface_hub.snapshot_download', hub)
    with pytest.raises(RuntimeError, match=r'own/er/a could not be downloaded \(Name or service'):
        download('own/er', ['a'])
    with pytest.raises(RuntimeError, match='the tokenizer could not be downloaded'):
        download_tokenizer('own/er')
