// Draws points and boxes with WebGL 2, and turns them. No library: one shader for points, one for lines.

const POINTS = `#version 300 es
in vec3 place; in vec3 colour; in uint owner;
uniform mat4 view; uniform float cut; uniform float size; uniform bool paint; uniform sampler2D palette;
out vec3 shade;
void main() {
  vec4 own = texelFetch(palette, ivec2(int(owner) & 255, int(owner) >> 8), 0);
  shade = paint ? mix(colour, own.rgb, own.a) : colour;
  gl_Position = place.z > cut ? vec4(2., 2., 2., 1.) : view * vec4(place, 1.);
  gl_PointSize = clamp(size / gl_Position.w, 1., 12.);
}`;
const LINES = `#version 300 es
in vec3 place; in vec3 colour; uniform mat4 view; out vec3 shade;
void main() { shade = colour; gl_Position = view * vec4(place, 1.); }`;
const FLAT = `#version 300 es
precision mediump float; in vec3 shade; out vec4 pixel;
void main() { pixel = vec4(shade, 1.); }`;
const EDGES = [0, 1, 1, 3, 3, 2, 2, 0, 4, 5, 5, 7, 7, 6, 6, 4, 0, 4, 1, 5, 2, 6, 3, 7];  // bit k of a corner is axis k

function program(gl, vertex) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, FLAT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  return made;
}

function attribute(gl, owner, name, data, size, kind, normalised = false) {
  const at = gl.getAttribLocation(owner, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(at);
  if (kind === gl.UNSIGNED_INT) gl.vertexAttribIPointer(at, size, kind, 0, 0);
  else gl.vertexAttribPointer(at, size, kind, normalised, 0, 0);
}

function heightColours(xyz, low, high) {  // for clouds without colour: dark to light, so that it also reads in grey
  const rgb = new Uint8Array(xyz.length);
  for (let i = 0; i < xyz.length; i += 3) {
    const t = Math.min(1, Math.max(0, (xyz[i + 2] - low) / Math.max(high - low, 1e-6)));
    rgb[i] = 40 + 180 * t; rgb[i + 1] = 60 + 150 * t; rgb[i + 2] = 120 + 40 * t;
  }
  return rgb;
}

function quantile(xyz, axis, share) {
  const some = [];
  const step = Math.max(1, Math.floor(xyz.length / 3 / 20000));
  for (let i = axis; i < xyz.length; i += 3 * step) some.push(xyz[i]);
  some.sort((a, b) => a - b);
  return some.length ? some[Math.floor(share * (some.length - 1))] : 0;
}

export class SceneView {
  // `cloud`: {xyz Float32Array [n * 3], rgb Uint8Array or null, owner Uint32Array}; calls `onDraw` after each picture
  constructor(canvas, cloud, onDraw) {
    this.canvas = canvas; this.onDraw = onDraw; this.count = cloud.owner.length; this.paint = true;
    this.low = [0, 1, 2].map(axis => quantile(cloud.xyz, axis, 0.002));
    this.high = [0, 1, 2].map(axis => quantile(cloud.xyz, axis, 0.998));
    this.cut = Infinity;
    this.target = this.low.map((low, axis) => (low + this.high[axis]) / 2);
    this.distance = 0.95 * Math.hypot(...this.high.map((high, axis) => high - this.low[axis])) || 1;
    this.turn = -0.8; this.tilt = 0.85; this.lines = 0;
    const gl = this.gl = canvas.getContext('webgl2', {antialias: true, preserveDrawingBuffer: true});
    if (!gl) throw new Error('this browser has no WebGL 2; try another one, or write a picture with --out room.png');
    this.points = program(gl, POINTS);
    this.pointArray = gl.createVertexArray();
    gl.bindVertexArray(this.pointArray);
    attribute(gl, this.points, 'place', cloud.xyz, 3, gl.FLOAT);
    const rgb = cloud.rgb ?? heightColours(cloud.xyz, this.low[2], this.high[2]);
    attribute(gl, this.points, 'colour', rgb, 3, gl.UNSIGNED_BYTE, true);
    attribute(gl, this.points, 'owner', cloud.owner, 1, gl.UNSIGNED_INT);
    this.edges = program(gl, LINES);
    this.palette = gl.createTexture();
    gl.enable(gl.DEPTH_TEST);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // `colours`: one [r, g, b, strength] a row of 0..255; row 0 is "no object"
  setColours(colours) {
    const gl = this.gl, height = Math.max(1, Math.ceil(colours.length / 256)), data = new Uint8Array(height * 1024);
    colours.forEach((colour, row) => data.set(colour, 4 * row));
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }

  setBoxes(boxes) {  // [{corners [8][3], colour [3] of 0..255}]
    const gl = this.gl, place = [], colour = [];
    for (const box of boxes) for (const corner of EDGES) { place.push(...box.corners[corner]); colour.push(...box.colour); }
    this.lineArray = gl.createVertexArray();
    gl.bindVertexArray(this.lineArray);
    attribute(gl, this.edges, 'place', new Float32Array(place), 3, gl.FLOAT);
    attribute(gl, this.edges, 'colour', new Uint8Array(colour), 3, gl.UNSIGNED_BYTE, true);
    this.lines = place.length / 3;
  }

  lookAt(corners) {
    this.target = [0, 1, 2].map(axis => corners.reduce((sum, corner) => sum + corner[axis] / 8, 0));
    this.distance = Math.max(1.2, 4 * Math.hypot(...[0, 1, 2].map(axis => corners[7][axis] - corners[0][axis])));
    this.draw();
  }

  matrix() {  // world to clip space, z up, column by column
    const [ct, st, ca, sa] = [Math.cos(this.tilt), Math.sin(this.tilt), Math.cos(this.turn), Math.sin(this.turn)];
    const right = [-sa, ca, 0], up = [-ca * st, -sa * st, ct], back = [ca * ct, sa * ct, st];
    const eye = this.target.map((value, axis) => value + this.distance * back[axis]);
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const near = this.distance / 100, far = this.distance * 20, f = 1.7, aspect = this.canvas.width / this.canvas.height;
    const rows = [right.map(v => v * f / aspect), up.map(v => v * f), back.map(v => -v * (far + near) / (far - near)), back.map(v => -v)];
    const shift = [-dot(right, eye) * f / aspect, -dot(up, eye) * f,
      dot(back, eye) * (far + near) / (far - near) - 2 * far * near / (far - near), dot(back, eye)];
    return new Float32Array([0, 1, 2].flatMap(axis => rows.map(row => row[axis])).concat(shift));
  }

  project(point) {  // world to CSS pixels; null where behind the camera
    const m = this.matrix(), at = row => m[row] * point[0] + m[4 + row] * point[1] + m[8 + row] * point[2] + m[12 + row], w = at(3);
    return w > 0 ? [(at(0) / w + 1) / 2 * this.canvas.clientWidth, (1 - at(1) / w) / 2 * this.canvas.clientHeight] : null;
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.render(); this.onDraw(); });
  }

  render() {
    const gl = this.gl, scale = devicePixelRatio || 1, view = this.matrix();
    this.canvas.width = this.canvas.clientWidth * scale; this.canvas.height = this.canvas.clientHeight * scale;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0.957, 0.957, 0.945, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const set = (owner, kind, name, ...values) => gl[`uniform${kind}`](gl.getUniformLocation(owner, name), ...values);
    gl.useProgram(this.points);
    set(this.points, 'Matrix4fv', 'view', false, view);
    set(this.points, '1f', 'cut', Math.min(this.cut, 3e38));
    set(this.points, '1f', 'size', 0.03 * this.canvas.height);
    set(this.points, '1i', 'paint', this.paint ? 1 : 0);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.bindVertexArray(this.pointArray);
    gl.drawArrays(gl.POINTS, 0, this.count);
    if (this.lines) {
      gl.useProgram(this.edges);
      set(this.edges, 'Matrix4fv', 'view', false, view);
      gl.bindVertexArray(this.lineArray);
      gl.drawArrays(gl.LINES, 0, this.lines);
    }
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener('contextmenu', event => event.preventDefault());
    canvas.addEventListener('pointerdown', event => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener('pointermove', event => {
      if (!event.buttons) return;
      if (event.shiftKey || event.buttons > 1) this.shift(event.movementX, event.movementY);
      else {
        this.turn -= event.movementX / 200;
        this.tilt = Math.min(1.57, Math.max(-1.5, this.tilt + event.movementY / 200));
      }
      this.draw();
    });
    canvas.addEventListener('wheel', event => {
      event.preventDefault();
      this.distance *= Math.exp(event.deltaY / 800);
      this.draw();
    }, {passive: false});
  }

  shift(dx, dy) {
    const step = this.distance / this.canvas.clientHeight, sa = Math.sin(this.turn), ca = Math.cos(this.turn), st = Math.sin(this.tilt);
    this.target[0] += step * (sa * dx - ca * st * dy);
    this.target[1] += step * (-ca * dx - sa * st * dy);
    this.target[2] += step * Math.cos(this.tilt) * dy;
  }
}
