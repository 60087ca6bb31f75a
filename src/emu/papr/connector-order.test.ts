import test from 'ava';
import { dynamicConnectors } from './connector-order.ts';

const made = dynamicConnectors({ cpus: [0, 1], hostBridges: 31, pciSlots: 256 });

// Read off the device tree of a real QEMU 7.2 with two CPUs.
const HOST_BRIDGES =
  '0f 08 09 10 11 12 13 1a 14 1b 15 1c 1d 16 1e 17 18 19 00 01 02 0a 03 0b 04 0c 05 0d 06 0e 07'.split(' ');
const PCI_SLOTS = '6d 66 c2 90 6e 20 ca 67 c3 91 6f 21 cb 68 c4 92 22 cc 69 9a c5 93 2a'.split(' ');

const low = (index: number): string => (index & 0xff).toString(16).padStart(2, '0');

test('connectors stand in the order of QEMU', (t) => {
  t.deepEqual(
    made.hostBridges.map(({ index }) => low(index)),
    HOST_BRIDGES,
  );
  t.deepEqual(
    made.pciSlots.slice(0, PCI_SLOTS.length).map(({ index }) => low(index)),
    PCI_SLOTS,
  );
});

test('every connector is there once, with its name and type', (t) => {
  t.is(new Set(made.pciSlots.map(({ index }) => index)).size, 256);
  t.deepEqual(made.cpus, [
    { index: 0x10000000, name: 'CPU 0', type: 'CPU' },
    { index: 0x10000001, name: 'CPU 1', type: 'CPU' },
  ]);
  t.like(made.hostBridges[0], { index: 0x2000000f, name: 'PHB 15', type: 'PHB' });
  t.like(made.pciSlots[0], { index: 0x4000006d, name: 'C109', type: '28' });
});
