import test from 'ava';
import { StateLoader, StateSaver } from '../core/state.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { ConfigSpace } from './config-space.ts';
import { Msix } from './msix.ts';

const ENTRY = 16;
const CONTROL = 12;
const PENDING = 0x800;
const FLAGS = 2;
const ENABLE = 0x8000;
const FUNCTION_MASK = 0x4000;

function make(vectors: number): {
  msix: Msix;
  config: ConfigSpace;
  table: AddressSpace;
  sent: [bigint, number][];
  setFlags: (flags: number) => void;
} {
  const config = new ConfigSpace(256);
  const sent: [bigint, number][] = [];
  const msix = new Msix(config, vectors, 1, 'bar', (address, data) => sent.push([address, data]));
  const table = new AddressSpace();
  table.map(0, msix.bar);
  const setFlags = (flags: number): void => {
    const at = msix.capability + FLAGS;
    config.write(at, 2, flags);
    if (msix.covers(at, 2)) msix.configChanged();
  };
  return { msix, config, table, sent, setFlags };
}

function program(table: AddressSpace, vector: number, data: number): void {
  table.write64(vector * ENTRY, 0x40000000000n, false);
  table.write(vector * ENTRY + 8, 4, data, false);
  table.write(vector * ENTRY + CONTROL, 4, 0, false);
}

test('a vector in use and unmasked sends its entry; one that nobody names sends nothing', (t) => {
  const { msix, table, sent, setFlags } = make(4);
  setFlags(ENABLE);
  program(table, 2, 0x1302);
  msix.notify(2);
  t.deepEqual(sent, []);
  msix.use(2);
  msix.notify(2);
  t.deepEqual(sent, [[0x40000000000n, 0x1302]]);
});

test('masked interrupts wait in the pending bits and leave when the mask goes', (t) => {
  const { msix, table, sent, setFlags } = make(4);
  setFlags(ENABLE | FUNCTION_MASK);
  program(table, 1, 0x1301);
  msix.use(1);
  msix.notify(1);
  t.is(table.read(PENDING, 4, false), 2);
  t.deepEqual(sent, []);
  setFlags(ENABLE);
  t.is(table.read(PENDING, 4, false), 0);
  t.deepEqual(sent, [[0x40000000000n, 0x1301]]);
  table.write(ENTRY + CONTROL, 4, 1, false);
  msix.notify(1);
  t.is(sent.length, 1);
  table.write(ENTRY + CONTROL, 4, 0, false);
  t.is(sent.length, 2);
});

test('a register that lets go of a vector takes its pending interrupt along', (t) => {
  const { msix, table, setFlags } = make(2);
  setFlags(ENABLE | FUNCTION_MASK);
  msix.use(0);
  msix.notify(0);
  t.is(table.read(PENDING, 4, false), 1);
  msix.release(0);
  t.is(table.read(PENDING, 4, false), 0);
});

test('more than 128 vectors need a larger BAR, and push the pending bits up', (t) => {
  const { msix, config } = make(2048);
  t.is(msix.bar.size, 0x10000);
  t.is(config.read(msix.capability + 8, 4), 0x8001);
});

test('the hypervisor programs an entry whole, and unmasks it', (t) => {
  const { msix, table } = make(2);
  t.is(table.read(ENTRY + CONTROL, 4, false), 1);
  msix.setMessage(1, 0x40000000000n, 0x1305);
  t.is(table.read64(ENTRY, false), 0x40000000000n);
  t.is(table.read(ENTRY + 8, 4, false), 0x1305);
  t.is(table.read(ENTRY + CONTROL, 4, false), 0);
  msix.setMessage(2, 0n, 0);
});

test('what was saved comes back', (t) => {
  const { msix, table, setFlags } = make(4);
  setFlags(ENABLE | FUNCTION_MASK);
  program(table, 3, 9);
  msix.use(3);
  msix.notify(3);
  const saver = new StateSaver();
  msix.exchange(saver);
  const other = make(4);
  const loader = new StateLoader(saver.finish());
  other.msix.exchange(loader);
  loader.done();
  t.is(other.table.read(3 * ENTRY + 8, 4, false), 9);
  t.is(other.table.read(PENDING, 4, false), 8);
});
