import { Rng } from '../../emu/core/rng.ts';
import type { MachineConfig } from '../../emu/machine/config.ts';
import { Machine } from '../../emu/machine/machine.ts';
import { parseMachine } from '../../emu/machine/options.ts';
import { treeInputs } from '../../emu/machine/platform-options.ts';
import { buildDeviceTree } from '../../emu/papr/device-tree.ts';
import type { Negotiated } from '../../emu/papr/environment.ts';
import { readFlattenedTree, type TreeNode } from '../../emu/core/flattened-tree.ts';
import type { Lines, Tally } from './log.ts';

/**
 * Holds a device tree of ours against the dump of a real QEMU's: one `name {`, `name = value` or `}` a line. Values
 * are cells `<0x1 0x2>`, bytes `[00ff]`, strings `"a" "b"` or `<empty>`; long ones are cut, `...(32 cells)`, and are
 * then compared as far as they are shown, and by their length.
 */
export interface DumpNode {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  readonly properties: Map<string, DumpValue>;
  readonly children: DumpNode[];
}

export interface DumpValue {
  readonly line: number;
  readonly text: string;
  /** The bytes that are shown, from the first one. */
  readonly shown: Uint8Array;
  /** Bytes of the whole value. */
  readonly length: number;
}

export interface Dump {
  /** Bytes of the whole blob, as the head line says. */
  readonly totalBytes: number;
  readonly root: DumpNode;
}

/** Throws a SyntaxError that names the line. */
export function parseDump(lines: readonly string[]): Dump {
  const head = /^\/\/ totalsize=0x([0-9a-f]+) /.exec(lines[0] ?? '');
  if (head === null) throw new SyntaxError('line 1: a dump begins with // totalsize=');
  const open: DumpNode[] = [];
  let root: DumpNode | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const text = raw.trim();
    if (text === '' || text.startsWith('//')) continue;
    const parent = open.at(-1);
    if (text === '}') {
      if (open.pop() === undefined) throw new SyntaxError(`line ${line}: nothing is open`);
    } else if (text.endsWith(' {')) {
      const name = text.slice(0, -2);
      const node: DumpNode = {
        name: name === '/' ? '' : name,
        line,
        properties: new Map(),
        children: [],
      };
      if (parent !== undefined) parent.children.push(node);
      else if (root === undefined) root = node;
      else throw new SyntaxError(`line ${line}: a second root`);
      open.push(node);
    } else {
      const equals = text.indexOf(' = ');
      if (equals < 0 || parent === undefined)
        throw new SyntaxError(`line ${line}: neither node nor property`);
      parent.properties.set(text.slice(0, equals), parseValue(text.slice(equals + 3), line));
    }
  }
  if (root === undefined || open.length > 0) throw new SyntaxError('a node is not closed');
  return { totalBytes: Number.parseInt(head[1] ?? '', 16), root };
}

function parseValue(text: string, line: number): DumpValue {
  if (text === '<empty>') return { line, text, shown: new Uint8Array(0), length: 0 };
  const cells = /^<(.*?)(?: \.\.\.\((\d+) cells\))?>$/.exec(text);
  if (cells !== null) {
    const shown = cellsShown((cells[1] ?? '').split(' '), line);
    return { line, text, shown, length: cells[2] === undefined ? shown.length : 4 * Number(cells[2]) };
  }
  const bytes = /^\[([0-9a-f]*)(?:\.\.\.\((\d+)B\))?\]$/.exec(text);
  if (bytes !== null) {
    const shown = Uint8Array.from((bytes[1] ?? '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    return { line, text, shown, length: bytes[2] === undefined ? shown.length : Number(bytes[2]) };
  }
  if (!/^"[^"]*"( "[^"]*")*$/.test(text))
    throw new SyntaxError(`line ${line}: no value: ${text.slice(0, 40)}`);
  const strings = text.slice(1, -1).split('" "');
  const shown = new TextEncoder().encode(strings.map((value) => `${value}\0`).join(''));
  return { line, text, shown, length: shown.length };
}

function cellsShown(words: readonly string[], line: number): Uint8Array {
  const shown = new Uint8Array(4 * words.length);
  const view = new DataView(shown.buffer);
  for (const [index, word] of words.entries()) {
    const value = Number(word);
    if (!Number.isInteger(value) || value >= 2 ** 32) throw new SyntaxError(`line ${line}: no cell: ${word}`);
    view.setUint32(4 * index, value);
  }
  return shown;
}

export interface TreeDifference {
  readonly line: number;
  /** `/chosen rng-seed`, `/vdevice` for a whole node. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
}

/** Differences that are meant, each with its reason. The pattern is held against `where`. */
export interface ExplainedDifference {
  readonly where: RegExp;
  readonly reason: string;
}

export const EXPLAINED_DIFFERENCES: readonly ExplainedDifference[] = [
  {
    where: /^\/chosen rng-seed$/,
    reason:
      'chance: QEMU draws it from the host or its own -seed generator, Papyrus from the seed of its machine',
  },
];

export function explanation(difference: TreeDifference): string | undefined {
  return EXPLAINED_DIFFERENCES.find((row) => row.where.test(difference.where))?.reason;
}

/** Every difference between a dump and a tree of ours, in the dump's order; order inside a node does not matter. */
export function compareTree(dump: Dump, blob: Uint8Array): TreeDifference[] {
  const ours = readFlattenedTree(blob);
  if (!ours.ok) return [{ line: 1, where: '/', expected: 'a device tree', actual: ours.reason }];
  const differences: TreeDifference[] = [];
  if (dump.totalBytes !== blob.length) {
    differences.push({
      line: 1,
      where: 'total size',
      expected: String(dump.totalBytes),
      actual: String(blob.length),
    });
  }
  compareNode(dump.root, ours.root, '/', differences);
  return differences;
}

function compareNode(theirs: DumpNode, ours: TreeNode, path: string, differences: TreeDifference[]): void {
  const mine = new Map(ours.properties.map((property) => [property.name, property.value]));
  for (const [name, value] of theirs.properties) {
    const actual = mine.get(name);
    if (actual !== undefined && agrees(value, actual)) continue;
    differences.push({
      line: value.line,
      where: `${path} ${name}`,
      expected: value.text,
      actual: actual === undefined ? 'absent' : shownLike(value, actual),
    });
  }
  for (const [name, value] of mine) {
    if (theirs.properties.has(name)) continue;
    const actual = value.length === 0 ? '<empty>' : hex(value);
    differences.push({ line: theirs.line, where: `${path} ${name}`, expected: 'absent', actual });
  }
  compareChildren(theirs, ours, path, differences);
}

function compareChildren(
  theirs: DumpNode,
  ours: TreeNode,
  path: string,
  differences: TreeDifference[],
): void {
  const below = (name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);
  const children = new Map(ours.children.map((child) => [child.name, child]));
  for (const child of theirs.children) {
    const mine = children.get(child.name);
    if (mine === undefined) {
      differences.push({ line: child.line, where: below(child.name), expected: 'a node', actual: 'absent' });
    } else {
      compareNode(child, mine, below(child.name), differences);
    }
  }
  for (const name of children.keys()) {
    if (theirs.children.some((child) => child.name === name)) continue;
    differences.push({ line: theirs.line, where: below(name), expected: 'absent', actual: 'a node' });
  }
}

function agrees(theirs: DumpValue, ours: Uint8Array): boolean {
  return ours.length === theirs.length && theirs.shown.every((byte, at) => byte === ours[at]);
}

function shownLike(theirs: DumpValue, ours: Uint8Array): string {
  const cut = ours.subarray(0, Math.max(theirs.shown.length, 16));
  return `[${hex(cut)}${cut.length < ours.length ? `...(${ours.length}B)` : ''}]`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The machine type of the dumps: they do not name it themselves. */
const MACHINE = 'pseries-7.2';

/** Builds the machine that a dump describes, and holds its tree against the dump. */
export async function conformDeviceTree(lines: Lines, tally: Tally): Promise<void> {
  const text: string[] = [];
  for await (const line of lines) text.push(line);
  const dump = parseDump(text);
  let judged = properties(dump.root);
  for (const difference of compareTree(dump, treeLike(dump))) {
    const reason = explanation(difference);
    if (reason === undefined) {
      tally.mismatch(difference.line, difference.where, difference.expected, difference.actual);
    } else {
      tally.passOver(`${difference.where} (${reason})`);
      judged--;
    }
  }
  for (; judged > 0; judged--) tally.judged();
}

function properties(node: DumpNode): number {
  return node.children.reduce((sum, child) => sum + properties(child), node.properties.size);
}

/** The tree of a machine with the memory, the CPUs and the devices of the dump, at the same moment of its life. */
export function treeLike(dump: Dump): Uint8Array {
  const argument = parseMachine(MACHINE);
  const made = Machine.create(configLike(dump.root));
  if (!argument.accepted) throw new SyntaxError(argument.reason);
  if (!made.accepted) throw new SyntaxError(made.reason);
  const machine = made.value;
  const { partition } = machine.papr;
  const units = new Set((nodeAt(dump.root, 'vdevice')?.children ?? []).map((node) => cell(node, 'reg')));
  return buildDeviceTree(
    treeInputs(
      partition.options,
      argument.value,
      machine.bridge,
      partition.vio.devices.filter((device) => units.has(device.unit)),
      Rng.stream('conform', 'device-tree'),
      negotiatedLike(dump.root),
      nodeAt(dump.root, 'ibm,platform-facilities') !== undefined,
    ),
  );
}

/** Option vector 5 as it was agreed on; two bytes of it, zeros, stand in a tree before that. */
function negotiatedLike(root: DumpNode): Negotiated | undefined {
  const vector = nodeAt(root, 'chosen')?.properties.get('ibm,architecture-vec-5')?.shown;
  if (vector === undefined || vector.length <= 2) return undefined;
  return { ov5: vector.slice(1), compatPvr: 0, preIsa3Guest: false };
}

function configLike(root: DumpNode): MachineConfig {
  const memory = nodeAt(root, 'memory@0');
  const bridge = root.children.find((node) => node.name.startsWith('pci@'));
  return {
    machine: MACHINE,
    ramBytes: memory === undefined ? 0 : cell(memory, 'reg', 2) * 2 ** 32 + cell(memory, 'reg', 3),
    cpus: nodeAt(root, 'cpus')?.children.length ?? 1,
    seed: 'conform',
    devices: (bridge?.children ?? []).map((node) => deviceLike(node)),
    globals: [],
    backends: [
      { kind: 'disk', id: 'disk', sectors: 2048, content: 'zero', readOnly: false },
      { kind: 'net', id: 'net', loopback: false },
      { kind: 'entropy', id: 'entropy' },
    ],
  };
}

const BACKENDS: Readonly<Record<string, string>> = {
  'virtio-blk-pci': ',drive=disk',
  'virtio-net-pci': ',netdev=net',
  'virtio-rng-pci': ',rng=entropy',
};

/** The modern BAR's entry in `reg`: 64-bit memory, register 0x20. */
const MODERN_BAR = 0x0300_0020;

/** The -device argument of a node: type and slot by its location code, mode by its identity and its BARs. */
function deviceLike(node: DumpNode): string {
  const code = new TextDecoder().decode(node.properties.get('ibm,loc-code')?.shown);
  const [, type = '', slot = '', fn = ''] = /^qemu_([^:]+):\w+:\w+:(\w+)\.(\d)/.exec(code) ?? [];
  const reg = node.properties.get('reg')?.shown ?? new Uint8Array(0);
  const view = new DataView(reg.buffer, reg.byteOffset, reg.byteLength);
  let modern = false;
  for (let at = 0; at + 4 <= reg.length; at += 20)
    modern ||= (view.getUint32(at) & 0x0300_00ff) === MODERN_BAR;
  const legacy = cell(node, 'device-id') < 0x1040;
  const mode = `disable-legacy=${legacy ? 'off' : 'on'},disable-modern=${modern ? 'off' : 'on'}`;
  return `${type},addr=0x${slot}.${fn},${mode}${BACKENDS[type] ?? ''}`;
}

function nodeAt(node: DumpNode, name: string): DumpNode | undefined {
  return node.children.find((one) => one.name === name);
}

function cell(node: DumpNode, name: string, index = 0): number {
  const bytes = node.properties.get(name)?.shown;
  if (bytes === undefined || bytes.length < 4 * index + 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * index);
}
