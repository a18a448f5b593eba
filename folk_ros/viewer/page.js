// The page: reads the scene, lists its objects, asks questions, keeps labels at their places.
import {SceneView} from './scene_view.js';

const MAGIC = 'FOLKVIEW', HEAD = 40;
const part = name => document.getElementById(name);
let view, scene, shown = [];

function readCloud(buffer) {
  const data = new DataView(buffer);
  if (new TextDecoder().decode(new Uint8Array(buffer, 0, 8)) !== MAGIC) throw new Error('the cloud could not be read');
  const count = data.getUint32(8, true), coloured = data.getUint32(12, true), bytes = coloured ? Math.ceil(3 * count / 4) * 4 : 0;
  return {
    origin: [16, 24, 32].map(at => data.getFloat64(at, true)),
    xyz: new Float32Array(buffer, HEAD, 3 * count),
    rgb: coloured ? new Uint8Array(buffer, HEAD + 12 * count, 3 * count) : null,
    owner: new Uint32Array(buffer, HEAD + 12 * count + bytes, count),
  };
}

function show(items, asked) {  // [{row, label, score}]: painted, boxed, listed
  shown = items.map(item => ({...item, object: scene.byRow.get(item.row)})).filter(item => item.object);
  const most = Math.max(0, ...scene.objects.map(object => object.row));
  const colours = Array.from({length: most + 2}, () => asked ? [200, 200, 196, 190] : [0, 0, 0, 0]);
  for (const {object} of shown) colours[object.row + 1] = [...object.colour, 190];
  view.setColours(colours);
  view.setBoxes(shown.map(item => item.object));
  part('list').replaceChildren(...shown.map(entry));
  part('labels').replaceChildren(...shown.map(item => {
    const label = document.createElement('div');
    label.textContent = item.label;
    return label;
  }));
  view.draw();
}

function entry(item) {
  const line = document.createElement('li'), button = document.createElement('button');
  for (const [kind, text] of [['dot', ''], ['name', `${item.label} ${item.object.id}`], ['score', item.score.toFixed(2)]]) {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    if (kind === 'dot') span.style.background = `rgb(${item.object.colour})`;
    button.append(span);
  }
  button.addEventListener('click', () => view.lookAt(item.object.corners));
  line.append(button);
  return line;
}

function placeLabels() {
  const boxes = [...part('labels').children], taken = [];
  shown.forEach(({object}, number) => {
    const top = [0, 1].map(axis => (object.corners[0][axis] + object.corners[7][axis]) / 2), label = boxes[number];
    const at = part('names').checked && view.project([...top, object.corners[7][2]]);
    // better ones come first: a label that would cover one is left out
    const free = at && !taken.some(([x, y]) => Math.abs(x - at[0]) < 70 && Math.abs(y - at[1]) < 20);
    label.hidden = !free;
    if (!free) return;
    taken.push(at);
    label.style.left = `${at[0]}px`;
    label.style.top = `${at[1]}px`;
  });
}

function showAll() {
  part('said').textContent = `${scene.objects.length} objects, each with its best name`;
  const items = scene.objects.map(object => ({row: object.row, label: object.name, score: object.score, quality: object.quality}));
  show(items.sort((a, b) => b.quality - a.quality), false);
}

async function ask(event) {
  event.preventDefault();
  part('trouble').textContent = '';
  const texts = part('text').value.split(';').map(text => text.trim()).filter(Boolean);
  if (!texts.length) return showAll();
  const reply = await fetch(`query?${new URLSearchParams(texts.map(text => ['text', text]))}`);
  const {answers, problem} = await reply.json();
  if (problem) { part('trouble').textContent = problem; return; }
  part('said').textContent = answers.length ? `${answers.length} found` : 'nothing here matches';
  show(answers.map(answer => ({row: answer.row, label: answer.text, score: answer.score})), true);
}

async function start() {
  const [facts, cloud] = await Promise.all([
    fetch('scene').then(reply => reply.json()),
    fetch('cloud').then(reply => reply.arrayBuffer()).then(readCloud),
  ]);
  scene = facts;
  for (const object of scene.objects) object.corners = object.corners.map(corner => corner.map((value, axis) => value - cloud.origin[axis]));
  scene.byRow = new Map(scene.objects.map(object => [object.row, object]));
  view = new SceneView(part('view'), cloud, placeLabels);
  part('title').textContent = document.title = scene.title || 'folk_ros';
  part('facts').textContent = `${scene.points.toLocaleString()} points` + (scene.frame ? ` in ${scene.frame}` : '')
    + (cloud.owner.length < scene.points ? `, ${cloud.owner.length.toLocaleString()} shown` : '');
  const cut = () => { view.cut = +part('cut').value >= 1 ? Infinity : view.low[2] + part('cut').value * (view.high[2] - view.low[2]); view.draw(); };
  let above = 0;
  for (let i = 2; i < cloud.xyz.length; i += 3) above += cloud.xyz[i] > view.low[2] + 0.93 * (view.high[2] - view.low[2]);
  if (above > 0.05 * cloud.owner.length) part('cut').value = 0.85;  // a ceiling would hide the room
  cut();
  part('cut').addEventListener('input', cut);
  part('paint').addEventListener('change', () => { view.paint = part('paint').checked; view.draw(); });
  part('names').addEventListener('change', () => view.draw());
  part('ask').addEventListener('submit', event => ask(event).catch(trouble));
  showAll();
}

function trouble(error) {
  part('trouble').textContent = `${error.message ?? error}; is the command still running?`;
}

start().catch(trouble);
