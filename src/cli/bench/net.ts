import { assert } from '../../emu/core/assert.ts';
import { NetGuest } from '../../emu/guest/net-guest.ts';
import type { RingWriter } from '../../emu/guest/rings.ts';
import { Machine } from '../../emu/machine/machine.ts';
import type { GuestPlatform } from '../../emu/guest/platform.ts';
import { millisecondsOf, type Figure } from './measure.ts';

const FRAME_BYTES = 1500;
const HEADER_BYTES = 12;
/** Free RAM of the machine, above what its guest uses. */
const BUFFER = 0xf8_0000;
const WRITE = 2;
/** The host's end of the network. */
const PORT = 1;
const RECEIVE = 0;
const TRANSMIT = 1;
const FRAMES = 100_000;
const FRAMES_QUICK = 5000;
const ROUNDS = 3;
/** VERSION_1, and nothing else: one buffer a frame, a header of twelve bytes. */
const FEATURES = 1n << 32n;

/** Frames that the guest sends: taken, copied to the host's end, returned, interrupt raised. */
export async function framesSent(quick: boolean): Promise<Figure> {
  return measured(quick, (stand) => sender(stand));
}

/** Frames that come in: filtered, put behind a header, returned, interrupt raised. */
export async function framesReceived(quick: boolean): Promise<Figure> {
  return measured(quick, (stand) => receiver(stand));
}

interface Stand {
  readonly machine: Machine;
  readonly platform: GuestPlatform;
  readonly guest: NetGuest;
}

function standUp(): Stand {
  const made = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x100_0000,
    cpus: 1,
    seed: 'bench',
    devices: ['virtio-net-pci,addr=1,netdev=n0,disable-legacy=on'],
    globals: [],
    backends: [{ kind: 'net', id: 'n0', loopback: false }],
  });
  assert(made.accepted, 'QEMU has no objection to the machine of the benchmark');
  const machine = made.value;
  const { platform } = machine;
  const guest = new NetGuest(platform, { interface: 'modern', byteOrder: 'little', features: FEATURES });
  assert(guest.boot() && guest.start(), 'the guest of the benchmark comes up');
  return { machine, platform, guest };
}

async function measured(quick: boolean, make: (stand: Stand) => (count: number) => void): Promise<Figure> {
  const count = quick ? FRAMES_QUICK : FRAMES;
  const pass = make(standUp());
  const from = new Uint8Array(FRAME_BYTES).fill(1);
  const to = new Uint8Array(FRAME_BYTES);
  let [best, plain] = [Infinity, Infinity];
  pass(FRAMES_QUICK);
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    best = Math.min(
      best,
      millisecondsOf(() => {
        pass(count);
      }),
    );
    plain = Math.min(
      plain,
      millisecondsOf(() => {
        for (let i = 0; i < count; i++) to.set(from);
      }),
    );
  }
  return {
    value: (count / best) * 1000,
    unit: 'frames/s',
    baseline: (count / plain) * 1000,
    baselineName: 'copies of 1,500 bytes',
  };
}

/** A ring whose every slot names one descriptor; offers it once a call. */
function offering({ platform, guest }: Stand, queue: number, flags: number): () => RingWriter {
  const writer = guest.ring(queue)?.writer;
  assert(writer !== undefined, 'the guest of the benchmark set its queues up');
  writer.descriptor(writer.desc, 0, 0, BUFFER, HEADER_BYTES + FRAME_BYTES, flags, 0);
  for (let slot = 0; slot < writer.size; slot++) writer.setAvailEntry(slot, 0);
  let available = writer.usedIndex();
  return () => {
    available = (available + 1) & 0xffff;
    platform.store16(writer.avail + 2, available, true);
    return writer;
  };
}

function sender(stand: Stand): (count: number) => void {
  const offer = offering(stand, TRANSMIT, 0);
  const { platform, machine } = stand;
  const device = machine.functions[0]?.device;
  return (count) => {
    for (let i = 0; i < count; i++) {
      const before = offer().usedIndex();
      device?.notifyQueue(TRANSMIT);
      platform.idle();
      if (usedIndex(stand, TRANSMIT) === before) throw new Error('a frame of the benchmark is sent');
    }
  };
}

function receiver(stand: Stand): (count: number) => void {
  const offer = offering(stand, RECEIVE, WRITE);
  const frame = new Uint8Array(FRAME_BYTES).fill(0xff);
  return (count) => {
    for (let i = 0; i < count; i++) {
      const before = offer().usedIndex();
      stand.machine.hostInput(PORT, frame);
      if (usedIndex(stand, RECEIVE) === before) throw new Error('a frame of the benchmark is received');
    }
  };
}

function usedIndex({ guest }: Stand, queue: number): number {
  return guest.ring(queue)?.writer.usedIndex() ?? 0;
}
