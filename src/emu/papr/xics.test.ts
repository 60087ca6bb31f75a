import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

const H_EOI = 0x64;
const H_CPPR = 0x68;
const H_IPI = 0x6c;
const H_IPOLL = 0x70;
const H_XIRR = 0x74;
const H_PARAMETER = -4;
const SET_XIVE = 0x200a;
const GET_XIVE = 0x200b;
const CHANGE_MSI = 0x2019;
const BUID = [0x800_0000, 0x2000_0000] as const;
const IPI = 2;
const CONSOLE = 0x1101;
const LSI = 0x1201;

function xirr(platform: TestPlatform): number {
  platform.hcall(H_XIRR);
  return Number(platform.output(0));
}

test('a mailbox left below the priority is presented again at EOI', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.hcall(H_IPI, 0, 4);
  const taken = xirr(platform);
  platform.hcall(H_EOI, taken);
  t.true(platform.papr.interruptPending(0));
  t.is(xirr(platform), 0xff00_0000 + IPI);
});

test('a message to a masked source waits, and comes when it is unmasked', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.papr.consoleInput(0, Uint8Array.of(0x61));
  t.deepEqual(platform.interrupts, [[CONSOLE, 2]]);
  t.false(platform.papr.interruptPending(0));
  platform.rtas(SET_XIVE, [CONSOLE, 0, 5], 1);
  t.is(xirr(platform), 0xff00_0000 + CONSOLE);
});

test('a level that stays asserted comes again at EOI; one that fell does not', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.rtas(SET_XIVE, [LSI, 0, 5], 1);
  const bridge = platform.papr.hostBridge;
  bridge.setIntx(1 << 3, true);
  t.is(xirr(platform), 0xff00_0000 + LSI);
  t.false(platform.papr.interruptPending(0), 'sent once, while it is in service');
  platform.hcall(H_EOI, 0xff00_0000 + LSI);
  t.is(xirr(platform), 0xff00_0000 + LSI);
  bridge.setIntx(1 << 3, false);
  platform.hcall(H_EOI, 0xff00_0000 + LSI);
  t.false(platform.papr.interruptPending(0));
  t.deepEqual(platform.interrupts, [
    [LSI, 1],
    [LSI, 0],
  ]);
});

test('slots share four lines: a line falls when the last of them does', (t) => {
  const platform = new TestPlatform();
  const bridge = platform.papr.hostBridge;
  bridge.setIntx(1 << 3, true);
  bridge.setIntx(5 << 3, true);
  bridge.setIntx(1 << 3, false);
  bridge.setIntx(1 << 3, false);
  bridge.setIntx(5 << 3, false);
  bridge.setIntx(4 << 3, true);
  t.deepEqual(platform.interrupts, [
    [LSI, 1],
    [LSI, 0],
    [0x1200, 1],
  ]);
});

test('a more favoured source displaces a pending one, which comes after it', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.rtas(SET_XIVE, [LSI, 0, 5], 1);
  platform.rtas(SET_XIVE, [CONSOLE, 0, 3], 1);
  platform.papr.hostBridge.setIntx(1 << 3, true);
  platform.papr.consoleInput(0, Uint8Array.of(0x61));
  t.is(xirr(platform), 0xff00_0000 + CONSOLE);
  t.false(platform.papr.interruptPending(0), 'not at priority 3');
  platform.hcall(H_EOI, 0xff00_0000 + CONSOLE);
  t.is(xirr(platform), 0xff00_0000 + LSI);
});

test('a pending source that a new priority refuses is given back, and comes when it is let', (t) => {
  const platform = new TestPlatform();
  platform.hcall(H_CPPR, 0xff);
  platform.rtas(SET_XIVE, [CONSOLE, 0, 5], 1);
  platform.papr.consoleInput(0, Uint8Array.of(0x61));
  platform.hcall(H_CPPR, 5);
  t.false(platform.papr.interruptPending(0));
  platform.hcall(H_CPPR, 6);
  t.true(platform.papr.interruptPending(0));
  t.is(xirr(platform), 0x0600_0000 + CONSOLE);
});

test('numbers that change-msi gave back have priority 0 for their next owner', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8));
  t.deepEqual(platform.rtas(CHANGE_MSI, [0x800, ...BUID, 1, 2, 0], 4), [0, 2, 1, 2]);
  t.deepEqual(platform.rtas(GET_XIVE, [0x1300], 3), [0, 0, 0xff]);
  t.deepEqual(platform.rtas(CHANGE_MSI, [0x800, ...BUID, 1, 0, 0], 4).slice(0, 2), [0, 0]);
  t.deepEqual(platform.rtas(CHANGE_MSI, [0x800, ...BUID, 1, 2, 0], 4), [0, 2, 1, 2]);
  t.deepEqual(platform.rtas(GET_XIVE, [0x1300], 3), [0, 0, 0]);
});

test('a second CPU has its own priority, number 8 where vsmt is 8, and is woken from H_CEDE', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2, vsmt: 8 });
  platform.cpu = 1;
  platform.hcall(H_CPPR, 0xff);
  platform.hcall(0xe0);
  t.true(platform.papr.cpus[1]?.halted);
  platform.cpu = 0;
  t.is(platform.hcall(H_IPI, 1, 4), H_PARAMETER);
  t.is(platform.hcall(H_IPI, 8, 4), 0);
  t.deepEqual(platform.cpuInterrupts, [[8, true]]);
  t.false(platform.papr.cpus[1]?.halted);
});

test('every source survives: what is sent, is taken exactly once', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8, 64));
  platform.rtas(CHANGE_MSI, [0x800, ...BUID, 4, 64, 0], 4);
  for (let i = 0; i < 64; i++) platform.rtas(SET_XIVE, [0x1300 + i, 0, 1 + (i % 7)], 1);
  for (let i = 0; i < 64; i++) platform.papr.hostBridge.sendMessage(8, 0x400_0000_0000n, 0x1300 + i);
  platform.hcall(H_CPPR, 0xff);
  const taken: number[] = [];
  while (platform.papr.interruptPending(0)) {
    const value = xirr(platform);
    taken.push(value % 0x100_0000);
    platform.hcall(H_EOI, value);
  }
  t.deepEqual(
    taken.toSorted((a, b) => a - b),
    Array.from({ length: 64 }, (_, i) => 0x1300 + i),
  );
});

const action = fc.oneof(
  fc.record({ call: fc.constantFrom(H_EOI, H_CPPR, H_IPI, H_IPOLL, H_XIRR), value: fc.nat({ max: 0xff }) }),
  fc.record({ route: fc.constantFrom(CONSOLE, LSI, 0x1300, 0x1301), value: fc.nat({ max: 0x100 }) }),
  fc.record({ level: fc.boolean() }),
  fc.record({ message: fc.constantFrom(0x1300, 0x1301, 0x1302, 0xfff, 0x2000, 0xffff_ffff) }),
);
const program = fc.array(action, { maxLength: 40 });

prop(
  'the output of a CPU follows its pending source, and a restored controller goes on the same',
  [program, program],
  (first, second) => {
    const platform = new TestPlatform();
    platform.papr.plug(0, new TestFunction(8));
    platform.rtas(CHANGE_MSI, [0x800, ...BUID, 1, 2, 0], 4);
    const run = (steps: typeof first): boolean => {
      for (const step of steps) {
        if ('call' in step)
          platform.hcall(
            step.call,
            step.call === H_EOI ? step.value * 0x100_0000 + LSI : step.value,
            step.value,
          );
        else if ('route' in step) platform.rtas(SET_XIVE, [step.route, 0, step.value], 1);
        else if ('level' in step) platform.papr.hostBridge.setIntx(8, step.level);
        else platform.papr.hostBridge.sendMessage(8, 0x400_0000_0000n, step.message);
        platform.hcall(H_IPOLL, 0);
        const xisr = Number(platform.output(0)) % 0x100_0000;
        if ((xisr !== 0) !== platform.papr.interruptPending(0)) return false;
      }
      return true;
    };
    if (!run(first)) return false;
    const saved = platform.save();
    if (!run(second)) return false;
    const end = platform.digest();
    platform.restore(saved);
    return run(second) && platform.digest() === end;
  },
);
