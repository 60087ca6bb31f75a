import test from 'ava';
import { EventQueue } from './event-queue.ts';
import { KIND, type MachineEvent, type Tap } from './tap.ts';
import { TapLine } from './tap-line.ts';
import { ticks } from './time.ts';

class Keeper implements Tap {
  readonly wantsGuestWrites = false;
  readonly seen: { kind: number; at: number; first: bigint; bytes: number[] }[] = [];

  take(event: MachineEvent): void {
    const bytes = [...event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength)];
    this.seen.push({ kind: event.kind, at: event.at, first: event.fields[0] ?? 0n, bytes });
  }
}

test('without a tap nothing is opened, with one every event carries its moment and only its own bytes', (t) => {
  const queue = new EventQueue();
  const line = new TapLine(queue);
  t.is(line.open(KIND['idle']), undefined);
  line.send();
  const keeper = new Keeper();
  line.tap = keeper;
  queue.advance(ticks(7));
  const first = line.open(KIND['host-input']);
  first?.small(0, 3);
  first?.carry(Uint8Array.of(9, 8, 7), 1, 2);
  line.send();
  line.open(KIND['idle']);
  line.send();
  t.deepEqual(keeper.seen, [
    { kind: KIND['host-input'], at: 7, first: 3n, bytes: [8, 7] },
    { kind: KIND['idle'], at: 7, first: 3n, bytes: [] },
  ]);
  line.tap = undefined;
  t.is(line.open(KIND['idle']), undefined);
});
