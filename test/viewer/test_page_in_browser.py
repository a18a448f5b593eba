"""The page in a real browser, driven by WebDriver; needs chromedriver and is left out without."""

import base64
from contextlib import contextmanager
import json
import shutil
import socket
import subprocess
import threading
import time
from urllib.error import URLError
from urllib.request import Request, urlopen
import zlib

import numpy as np
import pytest

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.pipeline import Folk
from folk_ros.viewer.server import Viewer

DRIVER = shutil.which('chromedriver')
pytestmark = pytest.mark.skipif(DRIVER is None, reason='chromedriver is not installed')
OPTIONS = [
    '--headless',
    '--no-sandbox',
    '--disable-background-networking',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--window-size=1200,800',
]


class Browser:
    """The few words of WebDriver (W3C) that the test needs."""

    def __init__(self, port):
        self.base = f'http://127.0.0.1:{port}/session'
        capabilities = {'alwaysMatch': {'goog:chromeOptions': {'args': OPTIONS}}}
        made = self.post('', capabilities=capabilities)
        self.base += '/' + made['sessionId']

    def post(self, path, **values):
        request = Request(self.base + path, json.dumps(values).encode(), method='POST')
        with urlopen(request, timeout=120) as reply:
            return json.loads(reply.read())['value']

    def run(self, script):
        return self.post('/execute/sync', script=script, args=[])

    def wait(self, script, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.2)
        raise AssertionError(f'never true: {script}')

    def picture(self):
        """Return the bytes of the screenshot's rows: a blank page has few different ones."""
        with urlopen(self.base + '/screenshot', timeout=60) as reply:
            png = base64.b64decode(json.loads(reply.read())['value'])
        return png_rows(png)


def png_rows(png):
    data, at = b'', 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], 'big')
        if png[at + 4 : at + 8] == b'IDAT':
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    return np.frombuffer(zlib.decompress(data), np.uint8)


@contextmanager
def browser():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen([DRIVER, f'--port={port}'], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                with urlopen(f'http://127.0.0.1:{port}/status', timeout=5):
                    break
            except URLError:
                time.sleep(0.1)
        made = Browser(port)
        yield made
        with urlopen(Request(made.base, method='DELETE'), timeout=30):
            pass
    finally:
        driver.terminate()
        driver.wait()


def test_a_person_sees_the_room_asks_and_finds():
    folk, cloud = Folk.load(), load_demo_room().cloud
    scene = folk.segment(cloud)
    with Viewer(folk, cloud, 'room') as viewer, browser() as page:
        thread = threading.Thread(target=viewer.serve_forever)
        thread.start()
        try:
            page.post('/url', url=viewer.url)
            page.wait('return document.querySelectorAll("#list li").length')
            assert page.run('return document.querySelectorAll("#list li").length') == len(scene)
            time.sleep(1)
            before = page.picture()
            assert len(np.unique(before)) > 100  # points are drawn, not an empty canvas
            page.run(
                'document.getElementById("text").value = "fridge";'
                'document.querySelector("form button").click();'
            )
            page.wait('return document.getElementById("said").textContent.endsWith("found")')
            names = page.run(
                'return [...document.querySelectorAll("#labels div")].map(e => e.textContent)'
            )
            assert names == ['fridge'] * len(folk.query(['fridge']))
            page.run(
                'document.getElementById("text").value = "giraffe";'
                'document.querySelector("form button").click();'
            )
            page.wait('return document.getElementById("said").textContent.startsWith("nothing")')
            assert page.run('return document.getElementById("trouble").textContent') == ''
        finally:
            viewer.shutdown()
            thread.join()
