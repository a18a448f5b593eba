from bag_support import camera_info, COLOUR_K, K, look, OPTICAL, pose_of
import numpy as np
import pytest

from folk_ros.training.scenes.recordings.cameras import (
    bend,
    Camera,
    colour_at_depth,
    same_pixels,
    straighten,
    to_camera,
)

LENS = (-0.28, 0.08, 0.001, -0.0005, 0.0)
PLACE = pose_of([1.0, 1.2, 1.1], 0.3) @ OPTICAL


def camera(k=K, width=64, height=48, **lens):
    return to_camera(camera_info(1, 'optical', k, (width, height), **lens), rectified=False)


def with_focal(focal):
    k = K.copy()
    k[[0, 1], [0, 1]] = focal
    return k


def bend_slowly(x, y, model, d):
    """The twin: one ray, by the formulas of the ROS and OpenCV manuals."""
    r2 = x * x + y * y
    if model == 'equidistant':
        r = r2**0.5
        angle = np.arctan(r)
        bent = angle * (1 + d[0] * angle**2 + d[1] * angle**4 + d[2] * angle**6 + d[3] * angle**8)
        return (x * bent / r, y * bent / r) if r else (0.0, 0.0)
    k1, k2, p1, p2, k3, *rest = (*d, 0, 0, 0, 0)[:8]
    k4, k5, k6 = rest
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


@pytest.mark.parametrize(
    ('model', 'd'),
    [
        ('plumb_bob', LENS),
        ('rational_polynomial', (0.4, -0.3, 0.001, 0.002, 0.1, 0.2, -0.1, 0.05)),
        ('equidistant', (-0.02, 0.01, -0.003, 0.001)),
    ],
)
def test_a_lens_bends_rays_as_the_manuals_say(model, d):
    slopes = np.random.default_rng(0).uniform(-0.8, 0.8, (20, 2))
    slopes[0] = 0
    wanted = [bend_slowly(x, y, model, d) for x, y in slopes]
    np.testing.assert_allclose(bend(slopes, model, np.array(d)), wanted, atol=1e-12)


def test_rectified_images_have_no_lens_left_and_the_pinhole_of_p():
    info = camera_info(1, 'optical', K, (64, 48), lens=LENS)
    info.p = np.concatenate([COLOUR_K, np.zeros((3, 1))], 1).reshape(-1)
    raw, rectified = to_camera(info, rectified=False), to_camera(info, rectified=True)
    np.testing.assert_array_equal(raw.K, K)
    np.testing.assert_array_equal(raw.D, LENS)
    np.testing.assert_array_equal(rectified.K, COLOUR_K)
    assert rectified.D is None


def test_images_are_registered_only_if_all_of_the_camera_is_the_same():
    assert same_pixels(camera(), camera())
    assert not same_pixels(camera(), camera(k=COLOUR_K))
    assert not same_pixels(camera(), camera(width=60))
    assert not same_pixels(camera(lens=LENS), camera(lens=LENS))
    assert not same_pixels(camera(), camera().in_frame('elsewhere'))


def test_the_lens_is_taken_out_of_a_depth_image():
    bent = camera(lens=LENS)
    v, u = np.mgrid[:48, :64]
    rays = np.stack([(u - 31.5) / 55, (v - 23.5) / 55], -1)
    straight = np.zeros((48, 64, 2))
    for _ in range(20):  # the ray that falls on each pixel of the bent image, step by step
        straight += rays - bend(straight, 'plumb_bob', np.array(LENS))
    slope = 2.0 + straight @ [0.5, -0.25]  # a tilted wall, as the lens shows it
    got = straighten(slope.astype(np.float32), bent)
    wanted = 2.0 + rays @ [0.5, -0.25]
    assert (got[5:-5, 5:-5] > 0).all()
    assert abs(got - wanted)[got > 0].max() < 0.011  # half a pixel of that slope
    assert abs(slope - wanted).max() > 0.02  # what the lens had done


def striped(points):
    """A sharp pattern: being wrong by the baseline of the cameras shows."""
    waves = 127 + 120 * np.sin(points @ np.diag([9.0, 8.0, 7.0]))
    return np.rint(waves).astype(np.uint8)


def photograph(pose, cam):
    """What a camera with a lens sees of the striped room, ray by ray."""
    rays = cam.rays()
    straight = rays[..., :2].copy()
    if cam.D is not None:
        for _ in range(30):
            straight += rays[..., :2] - bend(straight, cam.model, cam.D)
    rays[..., :2] = straight
    depth, _ = look(pose, np.eye(3), 1, 1)
    world = rays @ pose[:3, :3].T
    world[world == 0] = 1e-12
    room = np.array([4.0, 3.0, 2.5])
    walls = np.where(world > 0, room - pose[:3, 3], -pose[:3, 3]) / world
    return striped(world * walls.min(-1)[..., None] + pose[:3, 3])


@pytest.mark.parametrize('lens', [(0.0,) * 5, LENS])
def test_colour_moves_to_the_point_that_each_depth_pixel_sees(lens):
    depth_camera = camera()
    colour_camera = camera(k=COLOUR_K, width=128, height=96, lens=lens)
    beside = PLACE @ pose_of([0.08, 0.01, 0.0])
    depth, _ = look(PLACE, K, 64, 48)
    depth[10:14] = 0
    T = np.linalg.inv(beside) @ PLACE
    rgb = photograph(beside, colour_camera)
    got = colour_at_depth(rgb, colour_camera, depth.astype(np.float32), depth_camera, T)
    rays = depth_camera.rays() * depth[..., None]
    wanted = striped(rays @ PLACE[:3, :3].T + PLACE[:3, 3])
    compared = (got.sum(-1) > 0) & (depth > 0)
    assert compared.mean() > 0.6  # the depth camera sees wider
    error = abs(got[compared].astype(int) - wanted[compared])
    assert error.mean() < 3
    wrong = colour_at_depth(rgb, colour_camera, depth.astype(np.float32), depth_camera, np.eye(4))
    assert abs(wrong[compared].astype(int) - wanted[compared]).mean() > 12
    assert (got[10:14].sum(-1) > 0).mean() > 0.8  # seen in the photograph, if not measured


def test_what_the_colour_camera_does_not_see_is_black():
    narrow = camera(k=with_focal(220.0))
    depth = np.full((48, 64), 2.0, np.float32)
    got = colour_at_depth(np.full((48, 64, 3), 200, np.uint8), narrow, depth, camera(), np.eye(4))
    assert (got[24, 32] == 200).all()
    assert (got[:5] == 0).all() and (got[:, :5] == 0).all()


def test_a_lens_does_not_fold_what_is_far_aside_back_into_the_photograph():
    wide, bent = camera(k=with_focal(14.0)), camera(lens=(-0.3, 0, 0, 0, 0))
    depth = np.full((48, 64), 2.0, np.float32)
    rgb = np.full((48, 64, 3), 200, np.uint8)
    got = colour_at_depth(rgb, bent, depth, wide, np.eye(4))
    assert (got[24, 32] == 200).all()
    assert (got[:, :5] == 0).all() and (got[:, -5:] == 0).all()
    assert bent.project(np.array([1.7, 0, 1.0]))[0] < 64  # the polynomial alone would


def test_a_camera_that_was_never_calibrated_or_is_unknown_is_refused():
    with pytest.raises(ValueError, match="'optical': expected a focal length above 0"):
        camera(k=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="expected a lens of kind .* got 'thin_prism' with 5"):
        camera(lens=LENS, model='thin_prism')
    with pytest.raises(ValueError, match='with 2 coefficients'):
        camera(lens=LENS[:2])


def test_shrinking_a_large_photograph_keeps_things_in_place():
    large = camera(
        k=np.array([[220.0, 0, 127.5], [0, 220.0, 95.5], [0, 0, 1]]), width=256, height=192
    )
    depth, _ = look(PLACE, K, 64, 48)
    got = colour_at_depth(
        photograph(PLACE, large), large, depth.astype(np.float32), camera(), np.eye(4)
    )
    wanted = photograph(PLACE, camera())
    assert abs(got.astype(int) - wanted)[1:-1, 1:-1].mean() < 1.5


def test_a_camera_is_a_value():
    one = camera()
    assert isinstance(one, Camera) and one.in_frame('b').frame_id == 'b'
    assert one.frame_id == 'optical'
