import test from 'ava';
import { EVENT_KINDS, KIND, MachineEvent, type EventName } from '../emu/core/tap.ts';
import { DeviceView } from './device-view.ts';
import { EventFilter, type FilterOptions } from './filter.ts';
import { deviceName } from './last-writers.ts';
import { hcallName, rtasName, statusName } from './names.ts';
import { EventText, descriptorText } from './report-text.ts';
import { RequestFollower } from './request-follower.ts';

interface Step {
  readonly name: EventName;
  readonly fields: readonly bigint[];
  readonly bytes?: Uint8Array;
}

const DEVICE = 0x08n;
const WINDOW = 0x200000000000n;
const BAR = 0x80004000n;
const DESCRIPTORS = 0x10000n;
/** Right behind eight descriptors, so that the queue's size decides what is what. */
const AVAILABLE = 0x10080n;
const USED = 0x12000n;

function little(...parts: readonly (readonly [size: 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = Buffer.alloc(parts.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of parts) {
    if (size === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, size);
    at += size;
  }
  return bytes;
}

const write = (offset: bigint, value: bigint): Step => ({
  name: 'mmio-write',
  fields: [WINDOW + BAR + offset, 4n, 0n, value],
});
const configWrite = (register: bigint, value: bigint): Step => ({
  name: 'rtas',
  fields: [0x2017n, 5n, 1n, (DEVICE << 8n) | register, 0x8000000n, 0x20000000n, 4n, value, 0n, 0n, 0n],
});
const dmaRead = (address: bigint, bytes: Uint8Array): Step => ({
  name: 'dma-read',
  fields: [DEVICE, address],
  bytes,
});
const dmaWrite = (address: bigint, bytes: Uint8Array): Step => ({
  name: 'dma-write',
  fields: [DEVICE, address],
  bytes,
});

/** A modern device set up through its registers, and two requests of one descriptor chain each. */
const STEPS: readonly Step[] = [
  configWrite(0x20n, BAR | 0xcn),
  configWrite(0x24n, 0n),
  write(0x16n, 0n),
  { name: 'mmio-read', fields: [WINDOW + BAR + 0x18n, 2n, 0n] },
  { name: 'read-value', fields: [8n] },
  write(0x20n, DESCRIPTORS),
  write(0x28n, AVAILABLE),
  write(0x30n, USED),
  write(0x1cn, 1n),
  write(0x3000n, 0n),
  dmaRead(AVAILABLE + 2n, little([2, 2])),
  dmaRead(AVAILABLE + 4n, little([2, 3])),
  dmaRead(DESCRIPTORS + 48n, little([8, 0x40000], [4, 16], [2, 1], [2, 5])),
  dmaRead(DESCRIPTORS + 80n, little([8, 0x50000], [4, 512], [2, 2], [2, 0])),
  dmaRead(0x40000n, new Uint8Array(16)),
  dmaRead(AVAILABLE + 6n, little([2, 1])),
  dmaRead(DESCRIPTORS + 16n, little([8, 0x60000], [4, 512], [2, 2], [2, 0])),
  dmaWrite(0x60000n, new Uint8Array(512)),
  dmaWrite(USED + 4n, little([4, 1], [4, 512])),
  dmaWrite(0x50000n, new Uint8Array(512)),
  dmaWrite(USED + 12n, little([4, 3], [4, 512])),
  dmaWrite(USED + 2n, little([2, 2])),
  { name: 'interrupt', fields: [0x1200n, 1n] },
];

function fill(event: MachineEvent, step: Step): MachineEvent {
  event.kind = KIND[step.name];
  event.fields.set(step.fields);
  if (step.bytes === undefined) event.noBytes();
  else event.carry(step.bytes, 0, step.bytes.length);
  return event;
}

function lines(options: FilterOptions = {}): string[] {
  const text = new EventText({ kinds: EVENT_KINDS });
  const filter = new EventFilter(options, EVENT_KINDS, text.devices);
  const event = new MachineEvent();
  return STEPS.flatMap((step, number) => {
    fill(event, step);
    text.see(event);
    return filter.admits(event, number) ? [text.line(event, number)] : [];
  });
}

const numbers = (options: FilterOptions): number[] => lines(options).map((line) => Number.parseInt(line, 10));

test('registers, rings and descriptors read by their names', (t) => {
  const all = lines();
  t.is(all[2], '2 @0 > mmio-write 0x200080004016/4 = 0x0 | 00:01.0 common.q_select');
  t.is(all[9], '9 @0 > mmio-write 0x200080007000/4 = 0x0 | 00:01.0 notify queue 0');
  t.regex(
    all[0] ?? '',
    /^0 @0 {3}rtas ibm,write-pci-config\(0x820, 0x8000000, 0x20000000, 0x4, 0x8000400c\)$/,
  );
  t.is(all[11], '11 @0   dma-read 00:01.0 0x10084 | 00:01.0 queue 0 avail.ring[0] | 0300');
  t.is(all[12], '12 @0   dma-read 00:01.0 0x10030 | 00:01.0 queue 0 descriptor 3 | r16@0x40000 >5');
  t.is(all[13], '13 @0   dma-read 00:01.0 0x10050 | 00:01.0 queue 0 descriptor 5 | w512@0x50000');
  t.is(all[14], '14 @0   dma-read 00:01.0 0x40000 | 16 bytes of 00');
  t.is(all[22], '22 @0   interrupt source 0x1200 raised');
});

test('hypercalls read by name, with what came back changed', (t) => {
  const text = new EventText({ kinds: EVENT_KINDS });
  const event = new MachineEvent();
  const call = [0x20n, 0x80000000n, 0x1000n, 0x2003n, 0n, 0n, 0n, 0n, 0n, 0n];
  t.is(
    text.line(fill(event, { name: 'hcall', fields: call }), 5),
    '5 @0 > hcall H_PUT_TCE liobn=0x80000000 ioba=0x1000 tce=0x2003',
  );
  const back = [0xffff_ffff_ffff_fffcn, 7n, ...call.slice(2)];
  t.is(
    text.line(fill(event, { name: 'hcall-return', fields: back }), 6),
    '6 @0   hcall-return H_PARAMETER r4=0x7',
  );
  t.is(
    text.line(fill(event, { name: 'dma-fault', fields: [8n, 0x99n, 4n, 1n] }), 7),
    '7 @0   dma-fault 00:01.0 0x99 4 bytes, write dropped',
  );
});

test('numbers without a name stay numbers', (t) => {
  t.is(hcallName(0x20n), 'H_PUT_TCE');
  t.is(hcallName(0x7777n), 'hcall-0x7777');
  t.is(statusName(-2n), 'H_FUNCTION');
  t.is(statusName(0xffff_ffff_ffff_ff00n), 'H_UNSUPPORTED_FLAG');
  t.is(statusName(1234n), '1234');
  t.is(rtasName(0x2017n), 'ibm,write-pci-config');
  t.is(rtasName(0x2fffn), 'rtas-0x2fff');
  t.is(deviceName(0x0118), '01:03.0');
});

test('a big-endian descriptor reads the other way round', (t) => {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(0x3000n, 0);
  bytes.writeUInt32BE(64, 8);
  bytes.writeUInt16BE(5, 12);
  bytes.writeUInt16BE(2, 14);
  t.is(descriptorText(bytes, true), 'r64@0x3000 indirect >2');
});

test('filters pick by kind, device, queue, address and range', (t) => {
  t.deepEqual(numbers({ kind: ['interrupt', 'rtas'] }), [0, 1, 22]);
  t.deepEqual(numbers({ queue: 0, kind: ['mmio-write'] }), [2, 5, 6, 7, 8, 9]);
  t.deepEqual(numbers({ device: '01.0', from: 10, until: 12 }), [10, 11, 12]);
  t.deepEqual(numbers({ device: '02.0' }), []);
  t.deepEqual(numbers({ address: 0x50100n }), [19]);
});

test('a request is followed from its slot to its interrupt, and no other', (t) => {
  t.deepEqual(numbers({ followRequest: 0 }), [11, 12, 13, 14, 19, 20, 21, 22]);
  t.deepEqual(numbers({ followRequest: 1 }), [15, 16, 17, 18, 21, 22]);
  t.deepEqual(numbers({ followRequest: 2 }), []);
  t.deepEqual(numbers({ followRequest: 0, queue: 1 }), []);
  const view = new DeviceView(EVENT_KINDS);
  const follower = new RequestFollower(0, EVENT_KINDS, view);
  t.false(
    follower.takes(fill(new MachineEvent(), STEPS[11] ?? { name: 'idle', fields: [] })),
    'an unknown ring has no slots',
  );
});
