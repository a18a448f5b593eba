"""The 3D student: sparse U-Net, mask decoder and VL-adapter."""
