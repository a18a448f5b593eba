"""Install folk_ros with pip, on machines without ROS 2 and in venvs beside it."""

import os
from pathlib import Path
import re

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.findall("__version__ = '(.+)'", (HERE / 'folk_ros/__init__.py').read_text())[0]
SHARED = ('msg', 'srv', 'launch', 'config', 'resource')  # colcon installs the same folders

RECORDINGS = 'rosbags>=0.11'
EMBEDDED = [
    'cyclonedds>=11.0.1,<12',  # 11's C calls are used by ctypes
    RECORDINGS,  # message definitions and CDR
]
VIZ = ['matplotlib>=3.7']
IMAGES = ['pillow>=9.1']  # views of scenes in image files
DEMO = EMBEDDED + VIZ


def shared_files() -> list[tuple[str, list[str]]]:
    """Return what goes to share/folk_ros, folder by folder, as data_files wants it."""
    files: dict[str, list[str]] = {'share/folk_ros': ['package.xml']}
    for top in SHARED:
        for folder, _, names in sorted(os.walk(HERE / top)):
            place = Path(folder).relative_to(HERE)
            visible = [str(place / name) for name in sorted(names) if not name.startswith('.')]
            files[f'share/folk_ros/{place.as_posix()}'] = visible
    return [(place, names) for place, names in files.items() if names]


setup(
    name='folk_ros',
    version=VERSION,
    description='Open-vocabulary 3D instance segmentation for ROS 2 robots (FOLK)',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        *(f'Programming Language :: Python :: 3.{minor}' for minor in (10, 11, 12, 13)),
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    keywords=['ros2', 'robotics', 'point cloud', 'open vocabulary', '3D instance segmentation'],
    python_requires='>=3.10',
    packages=find_packages(include=['folk_ros', 'folk_ros.*']),
    package_data={'folk_ros': ['py.typed'], 'folk_ros.viewer': ['*.html', '*.js']},
    data_files=shared_files(),
    zip_safe=False,
    install_requires=[
        'numpy>=1.26',
        'torch>=2.1',
        'safetensors>=0.4',
        'PyYAML>=6',
        'tokenizers>=0.19',  # of the shipped text tower
        'open_clip_torch>=2.24',  # every other CLIP, as teacher and as text tower
        'transformers>=4.40',  # open_clip needs it for text towers of the HF kind
    ],
    extras_require={
        'embedded': EMBEDDED,
        'demo': DEMO,
        # rosbags: recordings become scenes without ROS
        'train': [*VIZ, *IMAGES, RECORDINGS, 'tensorboard>=2.14'],
        'viz': VIZ,
        'minkowski': ['MinkowskiEngine==0.5.4'],  # the last there is; compiled by hand
        'test': [
            *DEMO,
            *IMAGES,
            'pytest>=7',
            'coverage[toml]>=7.10',
            'pytest-timeout>=2',
            'hypothesis>=6',
            'ruff>=0.5',
            'mypy>=1.8',
        ],
    },
    entry_points={'console_scripts': ['folk = folk_ros.cli.entry:main']},
)
