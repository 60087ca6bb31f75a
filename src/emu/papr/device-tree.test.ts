import test from 'ava';
import { buildDeviceTree, type TreeFunction, type TreeInputs } from './device-tree.ts';
import { findChild, findProperty, readFlattenedTree, type TreeNode } from '../core/flattened-tree.ts';

// The whole of pseries-7.2's tree is held against QEMU's in src/cli/conform/device-tree.test.ts; here stands what
// other machines and other functions change.

const BASE: TreeInputs = {
  ramBytes: 0x10000000,
  hotplugTop: 0,
  cpus: { count: 1, stride: 1 },
  rngSeed: new Uint8Array(32),
  rtasCalls: [{ name: 'power-off', token: 0x2003 }],
  hypertasFunctions: ['hcall-tce'],
  platformSupport: Uint8Array.of(0x17, 0x00, 0x18, 0xc0),
  pciProbeOnly: false,
  associativityReferencePoints: [4, 4],
  epowIrq: 0x1000,
  hotplugIrq: undefined,
  hostBridgeConnectors: 0,
  hostBridge: {
    buid: 0x800000020000000n,
    io: { bus: 0, cpu: 0x10080000000, bytes: 0x10000 },
    mem32: { bus: 0x80000000, cpu: 0x100a0000000, bytes: 0x20000000 },
    mem64: undefined,
    liobn: 0x80000000,
    dmaWindowBytes: 0x40000000,
    ddw: undefined,
    lsi: [0x1005, 0x1006, 0x1007, 0x1008],
    msiCount: 0x400,
    functions: [],
  },
  vdevices: [],
  platformRandom: false,
  afterCas: undefined,
};

function tree(inputs: TreeInputs): TreeNode {
  const read = readFlattenedTree(buildDeviceTree(inputs));
  if (!read.ok) throw new Error(read.reason);
  return read.root;
}

function node(root: TreeNode, ...path: readonly string[]): TreeNode {
  let at = root;
  for (const name of path) {
    const child = findChild(at, name);
    if (child === undefined)
      throw new Error(`no ${name}; there are ${at.children.map((c) => c.name).join(' ')}`);
    at = child;
  }
  return at;
}

function cells(from: TreeNode, name: string): number[] | undefined {
  const value = findProperty(from, name);
  if (value === undefined) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.byteLength / 4 }, (_, index) => view.getUint32(4 * index));
}

const BRIDGE = 'pci@800000020000000';

test('an old machine: no dynamic windows, no 64-bit window, no connectors for host bridges', (t) => {
  const root = tree(BASE);
  const bridge = node(root, BRIDGE);
  t.is(cells(bridge, 'ibm,ddw-applicable'), undefined);
  t.is(cells(bridge, 'ibm,ddw-extensions'), undefined);
  t.deepEqual(
    cells(bridge, 'ranges'),
    [
      0x01000000, 0, 0, 0x100, 0x80000000, 0, 0x10000, 0x02000000, 0, 0x80000000, 0x100, 0xa0000000, 0,
      0x20000000,
    ],
  );
  t.is(cells(root, 'ibm,drc-indexes'), undefined);
  t.is(cells(bridge, 'ibm,drc-indexes')?.length, 257);
  t.deepEqual(cells(node(root, 'event-sources'), 'interrupt-ranges'), [0x1000, 1]);
  const chosen = node(root, 'chosen');
  t.is(cells(chosen, 'linux,pci-probe-only'), undefined);
  t.is(findProperty(chosen, 'stdout-path'), undefined);
});

test('after client-architecture-support a processor has the version that was agreed on', (t) => {
  const version = (afterCas: TreeInputs['afterCas']): number[] | undefined =>
    cells(node(tree({ ...BASE, afterCas }), 'cpus', 'PowerPC,POWER9@0'), 'cpu-version');
  const agreed = { vec5: new Uint8Array(26), xive: false, form2: false };
  t.deepEqual(version(undefined), [0x4e1200]);
  t.deepEqual(version({ ...agreed, compatPvr: 0 }), [0x4e1200]);
  // ISA 3.0: Linux then calls its processor "POWER9 (architected)", as under QEMU.
  t.deepEqual(version({ ...agreed, compatPvr: 0x0f000005 }), [0x0f000005]);
});

test('slots share four interrupt lines, one further each slot', (t) => {
  const map = cells(node(tree(BASE), BRIDGE), 'interrupt-map') ?? [];
  const source = (slot: number, pin: number): number | undefined => map[7 * (4 * slot + pin - 1) + 5];
  t.is(source(0, 1), 0x1005);
  t.is(source(1, 1), 0x1006);
  t.is(source(1, 4), 0x1005);
  t.is(source(31, 2), 0x1005);
});

test('CPUs up to pseries-4.1 stand eight apart', (t) => {
  const root = tree({ ...BASE, cpus: { count: 2, stride: 8 } });
  t.deepEqual(cells(node(root, 'cpus', 'PowerPC,POWER9@8'), 'ibm,my-drc-index'), [0x10000008]);
  t.deepEqual(cells(node(root, 'interrupt-controller'), 'ibm,interrupt-server-ranges'), [0, 16]);
});

test('the hashed page table grows with memory', (t) => {
  const shift = (ramBytes: number): number | undefined =>
    cells(node(tree({ ...BASE, ramBytes }), 'cpus', 'PowerPC,POWER9@0'), 'ibm,pft-size')?.[1];
  t.is(shift(0x08000000), 20);
  t.is(shift(0x20000000), 22);
  t.is(shift(0x28000000), 23);
  t.is(shift(0x00100000), 18);
});

function plainFunction(devfn: number, classCode: number): TreeFunction {
  const configSpace = new Uint8Array(256);
  new DataView(configSpace.buffer).setUint32(8, classCode << 8, true);
  return { devfn, typeName: 'x', configSpace, bars: [], msixVectors: 0 };
}

test('functions are named by class, slot and function', (t) => {
  const names = (...functions: TreeFunction[]): string[] =>
    node(tree({ ...BASE, hostBridge: { ...BASE.hostBridge, functions } }), BRIDGE).children.map(
      (c) => c.name,
    );
  t.deepEqual(
    names(
      plainFunction(0x52, 0x078000),
      plainFunction(0x08, 0x00ff00),
      plainFunction(0x10, 0x038000),
      plainFunction(0x18, 0x090200),
      plainFunction(0x20, 0x060400),
    ),
    ['legacy-device@1', 'display@2', 'mouse@3', 'pci@4', 'communication-controller@a,2'],
  );
});

test('what a function lacks is left out', (t) => {
  const root = tree({
    ...BASE,
    hostBridge: { ...BASE.hostBridge, functions: [plainFunction(0x08, 0x00ff00)] },
  });
  const device = node(root, BRIDGE, 'legacy-device@1');
  for (const name of ['interrupts', 'subsystem-id', 'subsystem-vendor-id', 'ibm,req#msi-x']) {
    t.is(findProperty(device, name), undefined, name);
  }
  t.deepEqual(cells(device, 'reg'), [0x800, 0, 0, 0, 0]);
});
