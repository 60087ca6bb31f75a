import test from 'ava';
import { findChild, findProperty, readFlattenedTree, type TreeNode } from '../core/flattened-tree.ts';
import { Machine } from './machine.ts';

/** The tree that a machine of this type hands to its guest. */
function treeOf(machine: string, cpus = 1): TreeNode {
  const verdict = Machine.create({
    machine,
    ramBytes: 0x1000_0000,
    cpus,
    seed: 'tree',
    devices: ['virtio-rng-pci,addr=3'],
    globals: [],
    backends: [],
  });
  if (!verdict.accepted) throw new Error(verdict.reason);
  const read = readFlattenedTree(verdict.value.deviceTree);
  if (!read.ok) throw new Error(read.reason);
  return read.root;
}

function at(root: TreeNode, ...path: string[]): TreeNode {
  let node = root;
  for (const name of path) {
    const next = findChild(node, name);
    if (next === undefined) throw new Error(`no ${path.join('/')}`);
    node = next;
  }
  return node;
}

function cells(node: TreeNode, name: string): number[] | undefined {
  const bytes = findProperty(node, name);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
}

const BRIDGE = 'pci@800000020000000';

// Numbers from the tables of platform.md (sections 2, 5.1, 6) and virtio-compat.md section 2.
test('dynamic windows came with pseries-2.7, the high windows with 2.8, the 64-bit window with 2.3', (t) => {
  t.deepEqual(cells(at(treeOf('pseries-7.2'), BRIDGE), 'ibm,ddw-applicable'), [0x2026, 0x2027, 0x2028]);
  t.deepEqual(cells(at(treeOf('pseries-2.7'), BRIDGE), 'ibm,ddw-applicable'), [0x2026, 0x2027, 0x2028]);
  t.is(cells(at(treeOf('pseries-2.6'), BRIDGE), 'ibm,ddw-applicable'), undefined);
  const windows = (machine: string): (number | undefined)[] => {
    const ranges = cells(at(treeOf(machine), BRIDGE), 'ranges') ?? [];
    return [ranges.length / 7, ranges[3], ranges[10], ranges[11], ranges[13]];
  };
  t.deepEqual(windows('pseries-2.8,cap-htm=off'), [3, 0x2000, 0x2000, 0x8000_0000, 0x8000_0000]);
  t.deepEqual(windows('pseries-2.7'), [3, 0x100, 0x100, 0xa000_0000, 0x8000_0000]);
  t.deepEqual(windows('pseries-2.2'), [2, 0x100, 0x100, 0xa000_0000, 0x2000_0000]);
});

test('what a type offers to client-architecture-support, and how it numbers CPUs', (t) => {
  const support = (machine: string): number[] | undefined =>
    cells(at(treeOf(machine), 'chosen'), 'ibm,arch-vec-5-platform-support');
  t.deepEqual(support('pseries-7.2'), [0x1780_18c0, 0x1900_1a40]);
  t.deepEqual(support('pseries-4.0'), [0x1700_18c0, 0x1900_1a40]);
  t.deepEqual(support('pseries-7.2,ic-mode=xics'), [0x1700_18c0, 0x1900_1a40]);
  t.deepEqual(support('pseries-7.2,ic-mode=xive'), [0x1740_18c0, 0x1900_1a40]);
  t.notThrows(() => at(treeOf('pseries-4.2', 2), 'cpus', 'PowerPC,POWER9@1'));
  t.notThrows(() => at(treeOf('pseries-4.1', 2), 'cpus', 'PowerPC,POWER9@8'));
});

test('older guests find older trees: probe-only, reference points, hotplug events, connectors', (t) => {
  const [newest, old] = [treeOf('pseries-7.2'), treeOf('pseries-2.7')];
  t.deepEqual(cells(at(newest, 'chosen'), 'linux,pci-probe-only'), [0]);
  t.is(cells(at(old, 'chosen'), 'linux,pci-probe-only'), undefined);
  const points = (root: TreeNode): number[] | undefined =>
    cells(at(root, 'rtas'), 'ibm,associativity-reference-points');
  t.deepEqual(points(newest), [4, 4, 2]);
  t.deepEqual(points(treeOf('pseries-5.0')), [4, 4]);
  t.deepEqual(cells(at(newest, 'event-sources'), 'interrupt-ranges'), [0x1000, 1, 0x1001, 1]);
  t.deepEqual(cells(at(old, 'event-sources'), 'interrupt-ranges'), [0x1000, 1]);
  t.not(cells(newest, 'ibm,drc-indexes'), undefined);
  t.is(cells(old, 'ibm,drc-indexes'), undefined);
});

test('the rng-seed follows the seed, and a reset draws another', (t) => {
  const seedOf = (root: TreeNode): string => String(cells(at(root, 'chosen'), 'rng-seed'));
  t.is(seedOf(treeOf('pseries-7.2')), seedOf(treeOf('pseries-7.2')));
});
