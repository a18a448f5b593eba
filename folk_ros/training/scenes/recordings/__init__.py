"""Recordings of robots (rosbags) become scenes, without ROS."""
