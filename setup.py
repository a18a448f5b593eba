"""Install folk_ros with pip, on machines without ROS 2 and in venvs beside it."""

from setuptools import find_packages, setup

EMBEDDED = [
    'cyclonedds>=11.0.1,<12; python_version >= "3.10"',  # 11's C calls are used by ctypes
    'rosbags>=0.11',  # message definitions and CDR
]
VIZ = ['matplotlib>=3.7']
DEMO = EMBEDDED + VIZ

setup(
    name='folk_ros',
    version='0.1.0',
    description='Open-vocabulary 3D instance segmentation for ROS 2 robots (FOLK)',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['folk_ros', 'folk_ros.*']),
    install_requires=[
        'numpy>=1.26',
        'torch>=2.1',
        'safetensors>=0.4',
        'PyYAML>=6',
        'open_clip_torch>=2.24',  # the text tower
        'transformers>=4.40',  # open_clip needs it for text towers of the HF kind: the shipped one
    ],
    extras_require={
        'embedded': EMBEDDED,
        'demo': DEMO,
        'train': [*VIZ, 'tensorboard>=2.14'],
        'viz': VIZ,
        'minkowski': ['MinkowskiEngine==0.5.4'],
        'test': [*DEMO, 'pytest>=7', 'pytest-timeout>=2', 'hypothesis>=6', 'ruff>=0.5', 'mypy>=1.8'],
    },
    entry_points={'console_scripts': ['folk = folk_ros.cli.main:main']},
)
