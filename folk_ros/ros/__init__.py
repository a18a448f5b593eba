"""The only code that knows ROS: the node, its conversions, and the runtime under it."""
