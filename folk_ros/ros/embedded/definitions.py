"""
Interface definitions that rosbags does not carry, as their packages publish them, and defaults.

vision_msgs 4.1: ros-perception/vision_msgs, Apache-2.0. std_srvs, rcl_interfaces:
ros2/common_interfaces and ros2/rcl_interfaces, Apache-2.0. Comments are left out. This package's
own interfaces are not here: they are read from msg/ and srv/.
"""

MESSAGES = {
    'vision_msgs/msg/Point2D': 'float64 x\nfloat64 y',
    'vision_msgs/msg/Pose2D': 'vision_msgs/Point2D position\nfloat64 theta',
    'vision_msgs/msg/BoundingBox2D': 'vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y',
    'vision_msgs/msg/BoundingBox2DArray': 'std_msgs/Header header\nBoundingBox2D[] boxes',
    'vision_msgs/msg/BoundingBox3D': 'geometry_msgs/Pose center\ngeometry_msgs/Vector3 size',
    'vision_msgs/msg/BoundingBox3DArray': 'std_msgs/Header header\nBoundingBox3D[] boxes',
    'vision_msgs/msg/ObjectHypothesis': 'string class_id\nfloat64 score',
    'vision_msgs/msg/ObjectHypothesisWithPose': (
        'ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose'
    ),
    'vision_msgs/msg/Classification': 'std_msgs/Header header\nObjectHypothesis[] results',
    'vision_msgs/msg/Detection2D': (
        'std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox2D bbox\nstring id'
    ),
    'vision_msgs/msg/Detection2DArray': 'std_msgs/Header header\nDetection2D[] detections',
    'vision_msgs/msg/Detection3D': (
        'std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox3D bbox\nstring id'
    ),
    'vision_msgs/msg/Detection3DArray': 'std_msgs/Header header\nDetection3D[] detections',
    'vision_msgs/msg/VisionClass': 'uint16 class_id\nstring class_name',
    'vision_msgs/msg/LabelInfo': (
        'std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold'
    ),
    'vision_msgs/msg/VisionInfo': (
        'std_msgs/Header header\nstring method\nstring database_location\nint32 database_version'
    ),
}

SERVICES = {
    'std_srvs/srv/Empty': '---',
    'std_srvs/srv/SetBool': 'bool data\n---\nbool success\nstring message',
    'std_srvs/srv/Trigger': '---\nbool success\nstring message',
    'rcl_interfaces/srv/GetParameters': (
        'string[] names\n---\nrcl_interfaces/ParameterValue[] values'
    ),
    'rcl_interfaces/srv/GetParameterTypes': 'string[] names\n---\nuint8[] types',
    'rcl_interfaces/srv/SetParameters': (
        'rcl_interfaces/Parameter[] parameters\n---\nrcl_interfaces/SetParametersResult[] results'
    ),
    'rcl_interfaces/srv/SetParametersAtomically': (
        'rcl_interfaces/Parameter[] parameters\n---\nrcl_interfaces/SetParametersResult result'
    ),
    'rcl_interfaces/srv/DescribeParameters': (
        'string[] names\n---\nrcl_interfaces/ParameterDescriptor[] descriptors'
    ),
    'rcl_interfaces/srv/ListParameters': (
        'uint64 DEPTH_RECURSIVE=0\nstring[] prefixes\nuint64 depth\n---\n'
        'rcl_interfaces/ListParametersResult result'
    ),
}

# Default values that stand in .msg files; rosbags keeps types alone.
DEFAULTS: dict[str, dict[str, object]] = {'geometry_msgs/msg/Quaternion': {'w': 1.0}}

# rosbags hashes 'char' as it is written; the real tool counts it as uint8.
TYPE_HASHES = {
    'rmw_dds_common/msg/ParticipantEntitiesInfo': (
        'RIHS01_91a0593bacdcc50ea9bdcf849a938b128412cc1ea821245c663bcd26f83c295e'
    ),
}
