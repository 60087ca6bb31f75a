import test from 'ava';
import { prop } from '../_prop.ts';
import { KIND, MachineEvent } from '../emu/core/tap.ts';
import { eventStream, fillEvent } from './_events.ts';
import { CONFIG } from './_toy.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { makeHeader } from './format.ts';
import { MemorySink, Recorder } from './recorder.ts';

prop(
  'what is poured out makes the same file as recording at once',
  [eventStream, eventStream],
  (before, events) => {
    const event = new MachineEvent();
    const flight = new FlightRecorder();
    for (const one of before) flight.take(fillEvent(event, one));
    flight.restart();
    const [atOnce, poured] = [new MemorySink(), new MemorySink()];
    const recorder = new Recorder(makeHeader(CONFIG, undefined), atOnce);
    for (const one of events) {
      recorder.take(fillEvent(event, one));
      flight.take(event);
    }
    recorder.finish();
    const later = new Recorder(makeHeader(CONFIG, undefined), poured);
    flight.pourInto(later);
    later.finish();
    return flight.events === events.length && Buffer.compare(atOnce.bytes, poured.bytes) === 0;
  },
);

test('a run too long is said to be, and what is kept is its beginning', (t) => {
  const flight = new FlightRecorder();
  const event = new MachineEvent();
  event.kind = KIND['dma-write'];
  event.carry(new Uint8Array(1 << 20), 0, 1 << 20);
  for (let i = 0; i < 70; i++) {
    event.at = i;
    flight.take(event);
  }
  t.true(flight.overflowed);
  t.is(flight.events, 64);
  flight.restart();
  t.false(flight.overflowed);
});
