import { assert } from '../../emu/core/assert.ts';
import { Life } from './life.ts';
import { millisecondsOf, type Figure } from './measure.ts';

const BUFFER = 0x100_0000;
const DATA: number = BUFFER + 0x1000;
const DATA_BYTES = 65_536;
const STATUS: number = DATA + DATA_BYTES;
const HEADER_BYTES = 16;
const NEXT = 1;
const WRITE = 2;
/** Sectors of the disk of the benchmark, and of one read. */
const SECTORS = 2048;
const SECTORS_READ = 128;
const READS = 40_000;
const READS_QUICK = 4000;
const ROUNDS = 3;

/** Whole reads of 64 KiB: header taken, sectors copied, status and used entry written, interrupt raised. */
export async function largeReads(quick: boolean): Promise<Figure> {
  const count = quick ? READS_QUICK : READS;
  const read = reader();
  const from = new Uint8Array(DATA_BYTES).fill(1);
  const to = new Uint8Array(DATA_BYTES);
  let [best, plain] = [Infinity, Infinity];
  read(READS_QUICK);
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    best = Math.min(
      best,
      millisecondsOf(() => {
        read(count);
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
    unit: 'reads/s',
    baseline: (count / plain) * 1000,
    baselineName: 'copies of 64 KiB',
  };
}

function reader(): (count: number) => void {
  const life = new Life(false);
  life.setUp();
  const { driver, machine } = life;
  const { platform } = machine;
  const device = machine.functions[0]?.device;
  const writer = driver.splitRings[0]?.writer;
  assert(device !== undefined && writer !== undefined, 'the guest of the benchmark set queue 0 up');
  for (const [index, [address, length, flags]] of [
    [BUFFER, HEADER_BYTES, NEXT],
    [DATA, DATA_BYTES, NEXT | WRITE],
    [STATUS, 1, WRITE],
  ].entries()) {
    writer.descriptor(writer.desc, index, 0, address ?? 0, length ?? 0, flags ?? 0, index + 1);
  }
  for (let slot = 0; slot < writer.size; slot++) writer.setAvailEntry(slot, 0);
  let available = writer.usedIndex();
  return (count) => {
    for (let i = 0; i < count; i++) {
      platform.store32(BUFFER + 8, (i * SECTORS_READ) % SECTORS, true);
      available = (available + 1) & 0xffff;
      platform.store16(writer.avail + 2, available, true);
      device.notifyQueue(0);
      platform.idle();
      if (writer.usedIndex() !== available || platform.load8(STATUS) !== 0) {
        throw new Error('a read of the benchmark comes back, and well');
      }
    }
  };
}
