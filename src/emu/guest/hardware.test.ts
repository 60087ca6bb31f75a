import test from 'ava';
import { buildDeviceTree } from '../papr/device-tree.ts';
import { fakeFunction, fakeTree } from './_fake-platform.ts';
import { readHardware } from './hardware.ts';

const TREE = fakeTree([fakeFunction(0x08, []), fakeFunction(0x12, [])]);

test('a guest finds its host bridge, its functions and its calls in the tree', (t) => {
  const hardware = readHardware(buildDeviceTree(TREE));
  t.is(hardware.tokens.get('ibm,read-pci-config'), 0x2016);
  t.is(hardware.tokens.get('ibm,no-such-call'), undefined);
  t.true(hardware.multiTce);
  t.is(hardware.hotplugTop, 0);
  t.is(hardware.bridges.length, 1);
  const [bridge] = hardware.bridges;
  t.like(bridge, {
    buidHigh: 0x8000000,
    buidLow: 0x20000000,
    liobn: 0x80000000,
    dmaBytes: 0x40000000,
    enumerated: true,
    io: { bus: 0, cpu: 0x200000000000, bytes: 0x10000 },
    mem64: { bus: 0x210000000000, cpu: 0x210000000000, bytes: 0x10000000000 },
    ddw: { query: 0x2026, create: 0x2027, remove: 0x2028, reset: 0x2029, queryResults: 6 },
    functions: [
      { devfn: 0x08, vendor: 0x1af4, device: 0x1001 },
      { devfn: 0x12, vendor: 0x1af4, device: 0x1001 },
    ],
  });
  // Slot 1, pin A and D.
  t.is(bridge?.intx[4], 0x1201);
  t.is(bridge?.intx[7], 0x1200);
});

test('what a machine lacks is not found', (t) => {
  const hardware = readHardware(
    buildDeviceTree({
      ...TREE,
      hypertasFunctions: ['hcall-tce'],
      hostBridge: { ...TREE.hostBridge, ddw: undefined, mem64: undefined },
    }),
  );
  t.false(hardware.multiTce);
  t.is(hardware.bridges[0]?.ddw, undefined);
  t.is(hardware.bridges[0]?.mem64, undefined);
});

test("what is no tree is the machine's mistake", (t) => {
  t.throws(() => readHardware(new Uint8Array(64)), { name: 'AssertionError' });
});
