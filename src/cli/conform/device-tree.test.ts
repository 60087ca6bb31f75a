import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { buildDeviceTree, type TreeFunction, type TreeInputs } from '../../emu/papr/device-tree.ts';
import { cellBytes, flattenTree, NodeBuilder } from '../../emu/core/flattened-tree.ts';
import { compareTree, conformDeviceTree, explanation, parseDump } from './device-tree.ts';
import { Tally } from './log.ts';

const GOLDEN = '../shared/golden/machines';
const golden = existsSync(GOLDEN) || process.env['CI'] !== undefined ? test : test.skip;

/** A function's configuration space as virtio-compat.md section 1.3 lists it, and its BARs as section 1.4 does. */
function virtioFunction(
  devfn: number,
  typeName: string,
  ids: { device: number; revision: number; classCode: number; subsystem: number },
  msixVectors: number,
  bars: readonly (readonly [index: number, kind: 'io' | 'mem32' | 'mem64', size: number])[],
): TreeFunction {
  const configSpace = new Uint8Array(256);
  const view = new DataView(configSpace.buffer);
  view.setUint16(0, 0x1af4, true);
  view.setUint16(2, ids.device, true);
  view.setUint16(6, 0x0010, true);
  view.setUint32(8, (ids.classCode << 8) | ids.revision, true);
  view.setUint16(0x2c, 0x1af4, true);
  view.setUint16(0x2e, ids.subsystem, true);
  configSpace[0x3d] = 1;
  return {
    devfn,
    typeName,
    configSpace,
    msixVectors,
    bars: bars.map(([index, kind, size]) => ({
      index,
      kind,
      prefetchable: kind === 'mem64',
      region: {
        name: 'bar',
        size,
        access: { validMin: 1, validMax: 4, validUnaligned: false, implMin: 1, implMax: 4 },
        read: () => 0,
        write: () => undefined,
      },
    })),
  };
}

const RTAS_NAMES = (
  'display-character get-time-of-day set-time-of-day power-off system-reboot query-cpu-stopped-state start-cpu stop-self ' +
  'ibm,get-system-parameter ibm,set-system-parameter ibm,set-xive ibm,get-xive ibm,int-off ibm,int-on check-exception ' +
  'event-scan ibm,set-tce-bypass quiesce nvram-fetch nvram-store read-pci-config write-pci-config ibm,read-pci-config ' +
  'ibm,write-pci-config ibm,query-interrupt-source-number ibm,change-msi set-indicator set-power-level get-power-level ' +
  'get-sensor-state ibm,configure-connector ibm,os-term ibm,set-eeh-option ibm,get-config-addr-info2 ' +
  'ibm,read-slot-reset-state2 ibm,set-slot-reset ibm,configure-pe ibm,slot-error-detail ibm,query-pe-dma-window ' +
  'ibm,create-pe-dma-window ibm,remove-pe-dma-window ibm,reset-pe-dma-window ibm,suspend-me ibm,nmi-register ibm,nmi-interlock'
).split(' ');

const HYPERTAS = (
  'hcall-pft hcall-term hcall-dabr hcall-interrupt hcall-tce hcall-vio hcall-splpar hcall-join hcall-bulk ' +
  'hcall-set-mode hcall-sprg0 hcall-copy hcall-debug hcall-vphn hcall-multi-tce hcall-hpt-resize hcall-watchdog'
).split(' ');

const NVRAM = {
  name: 'nvram',
  reg: 0x71000000,
  irq: 0x1100,
  compatible: 'qemu,spapr-nvram',
  deviceType: 'nvram',
  bytes: 0x10000,
};
const VTY = { name: 'vty', reg: 0x71000001, irq: 0x1101, compatible: 'hvterm1', deviceType: 'serial' };

const MADE: TreeInputs = {
  ramBytes: 0x20000000,
  hotplugTop: 0,
  cpus: { count: 2, stride: 1 },
  rngSeed: new Uint8Array(32),
  rtasCalls: RTAS_NAMES.map((name, index) => ({ name, token: 0x2000 + index })),
  hypertasFunctions: HYPERTAS,
  platformSupport: Uint8Array.of(0x17, 0x80, 0x18, 0xc0, 0x19, 0x00, 0x1a, 0x40),
  pciProbeOnly: true,
  associativityReferencePoints: [4, 4, 2],
  epowIrq: 0x1000,
  hotplugIrq: 0x1001,
  hostBridgeConnectors: 31,
  hostBridge: {
    buid: 0x8000000_20000000n,
    io: { bus: 0, cpu: 0x200000000000, bytes: 0x10000 },
    mem32: { bus: 0x80000000, cpu: 0x200080000000, bytes: 0x80000000 },
    mem64: { bus: 0x210000000000, cpu: 0x210000000000, bytes: 0x10000000000 },
    liobn: 0x80000000,
    dmaWindowBytes: 0x40000000,
    ddw: { query: 0x2026, create: 0x2027, remove: 0x2028, reset: 0x2029 },
    lsi: [0x1200, 0x1201, 0x1202, 0x1203],
    msiCount: 0xd00,
    functions: [
      virtioFunction(
        0x08,
        'virtio-blk-pci',
        { device: 0x1001, revision: 0, classCode: 0x010000, subsystem: 2 },
        3,
        [
          [0, 'io', 0x80],
          [1, 'mem32', 0x1000],
          [4, 'mem64', 0x4000],
        ],
      ),
      virtioFunction(
        0x10,
        'virtio-net-pci',
        { device: 0x1041, revision: 1, classCode: 0x020000, subsystem: 0x1100 },
        4,
        [
          [1, 'mem32', 0x1000],
          [4, 'mem64', 0x4000],
          [6, 'mem32', 0x40000],
        ],
      ),
    ],
  },
  vdevices: [NVRAM, VTY],
  platformRandom: true,
  afterCas: undefined,
};

const AFTER_CAS: TreeInputs = {
  ...MADE,
  ramBytes: 0x10000000,
  cpus: { count: 1, stride: 1 },
  hostBridge: {
    ...MADE.hostBridge,
    functions: [
      virtioFunction(
        0x08,
        'virtio-blk-pci',
        { device: 0x1042, revision: 1, classCode: 0x010000, subsystem: 0x1100 },
        2,
        [
          [1, 'mem32', 0x1000],
          [4, 'mem64', 0x4000],
        ],
      ),
    ],
  },
  vdevices: [NVRAM],
  platformRandom: false,
  afterCas: {
    // Bytes 5 (affinity), 23 (XIVE), 24 (radix) and 26 (GTSE), as the guest of the golden dump asked for.
    vec5: Uint8Array.from({ length: 26 }, (_, at) => ({ 4: 0xa0, 22: 0x40, 23: 0x40, 25: 0x40 })[at] ?? 0),
    xive: true,
    compatPvr: 0,
    form2: true,
  },
};

function unexplained(file: string, inputs: TreeInputs): string[] {
  const dump = parseDump(readFileSync(`${GOLDEN}/${file}`, 'utf8').split('\n'));
  return compareTree(dump, buildDeviceTree(inputs))
    .filter((difference) => explanation(difference) === undefined)
    .map(({ where, expected, actual }) => `${where}: ${expected} / ${actual}`);
}

golden('the tree that QEMU makes for pseries-7.2', (t) => {
  t.deepEqual(unexplained('pseries-7.2.dts', MADE), []);
});

golden('the tree that client-architecture-support returns', (t) => {
  t.deepEqual(unexplained('pseries-7.2-after-cas.dts', AFTER_CAS), []);
});

golden('the machine itself hands over these trees', async (t) => {
  for (const file of ['pseries-7.2.dts', 'pseries-7.2-after-cas.dts']) {
    const tally = new Tally(10);
    const lines = readFileSync(`${GOLDEN}/${file}`, 'utf8').split('\n');
    await conformDeviceTree(
      (async function* () {
        yield* lines;
      })(),
      tally,
    );
    t.deepEqual(tally.first, [], file);
    t.is(tally.mismatches, 0, file);
    t.true(tally.lines > 100, file);
    t.is(tally.notJudged.size, 1, 'rng-seed');
  }
});

test('a dump is read with its cuts', (t) => {
  const { root, totalBytes } = parseDump([
    '// totalsize=0x40 rsvmap=[] bootcpu=0 ver=17',
    '/ {',
    '  cells = <0x1 0x2 ...(3 cells)>',
    '  bytes = [00ff...(3B)]',
    '  text = "a" "bc"',
    '  node@1 {',
    '    flag = <empty>',
    '  }',
    '}',
    '',
  ]);
  t.is(totalBytes, 0x40);
  const value = (name: string): unknown[] => {
    const { shown, length } = root.properties.get(name) ?? { shown: new Uint8Array(0), length: -1 };
    return [[...shown], length];
  };
  t.deepEqual(value('cells'), [[0, 0, 0, 1, 0, 0, 0, 2], 12]);
  t.deepEqual(value('bytes'), [[0, 255], 3]);
  t.deepEqual(value('text'), [[97, 0, 98, 99, 0], 5]);
  t.is(root.children[0]?.properties.get('flag')?.length, 0);
});

test('what is no dump is refused with its line', (t) => {
  const head = '// totalsize=0x40 rsvmap=[]';
  t.throws(() => parseDump(['/dts-v1/;']), { message: /line 1/ });
  t.throws(() => parseDump([head, '/ {']), { message: /not closed/ });
  t.throws(() => parseDump([head, '/ {', 'reg = <0x1 zz>', '}']), { message: /line 3/ });
  t.throws(() => parseDump([head, '}']), { message: /line 2/ });
  t.throws(() => parseDump([head, '/ {', '}', '/ {', '}']), { message: /second root/ });
});

test('every kind of difference is seen', (t) => {
  const dump = parseDump([
    '// totalsize=0x1 rsvmap=[]',
    '/ {',
    '  same = <0x1>',
    '  cut = <0x1 ...(2 cells)>',
    '  longer = <0x1 ...(3 cells)>',
    '  other = <0x1>',
    '  gone = <0x1>',
    '  missing {',
    '  }',
    '}',
  ]);
  const root = new NodeBuilder('')
    .cells('same', 1)
    .cells('cut', 1, 7)
    .cells('longer', 1, 7)
    .cells('other', 2)
    .bytes('added', cellBytes([1]))
    .child(new NodeBuilder('new'));
  t.deepEqual(
    compareTree(dump, flattenTree(root.node)).map(({ line, where }) => `${line} ${where}`),
    ['1 total size', '5 / longer', '6 / other', '7 / gone', '2 / added', '8 /missing', '2 /new'],
  );
});
