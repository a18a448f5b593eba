"""The policy template names what the node really has."""

from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"'(~?/[a-z_]+(?:/[a-z_]+)*|~/[a-z_]+)'")
OWN_FILES = ('node', 'questions', 'outputs', 'frames', 'scene_services')


def allowed(kind, right):
    policy = ElementTree.parse(ROOT / 'config' / 'sros2_policy.xml').getroot()
    groups = [g for g in policy.iter(f'{kind}s') if g.get(right) == 'ALLOW']
    return {item.text for group in groups for item in group.iter(kind)}


def names_in_the_code():
    found = set()
    for name in OWN_FILES:
        text = (ROOT / 'folk_ros' / 'ros' / f'{name}.py').read_text()
        found |= set(NAME.findall(text))
    return {name.replace('~', 'folk').lstrip('/') for name in found}


def test_every_topic_and_service_of_the_node_is_in_the_policy():
    known = allowed('topic', 'subscribe') | allowed('topic', 'publish')
    known |= allowed('service', 'reply')
    names = names_in_the_code()
    assert {'folk/query', 'folk/markers', 'folk/ready', 'folk/save', 'tf_static'} <= names
    assert names - known == set()


def test_the_policy_names_no_topic_of_the_node_that_is_not_there():
    own = {name for name in allowed('topic', 'publish') if name.startswith('folk/')}
    assert own <= names_in_the_code()
