import test from 'ava';
import { EVENT_KINDS, type MachineEvent, type Tap } from '../emu/core/tap.ts';
import { fedMachine } from '../trace/fed-machine.ts';
import { MemorySource, RecordingReader } from '../trace/reader.ts';
import { MemorySink, Recorder } from '../trace/recorder.ts';
import { replayInputs, replayWithGuest } from '../trace/replayer.ts';
import { caseRunner } from './case-runner.ts';
import { machineFactory } from './factory.ts';
import { Runaway } from './invariants/work.ts';
import type { MachineFactory } from './runner.ts';

const CASE = {
  name: 'whole-life:7',
  seed: undefined,
  machine: undefined,
  device: undefined,
  guest: undefined,
};

/** Machines whose `last`th DMA read ends the run, as the judge does where a device would go on for too long. */
function cutting(last: number): MachineFactory {
  const whole = machineFactory([]);
  return (config) => {
    const verdict = whole(config);
    if (!verdict.accepted) return verdict;
    const machine = verdict.value;
    const setTap = (tap: Tap | undefined): void =>
      machine.setTap(tap === undefined ? undefined : new Cutter(tap, last));
    return { ...verdict, value: { ...machine, setTap } };
  };
}

class Cutter implements Tap {
  readonly wantsGuestWrites = false;
  readonly #tap: Tap;
  #left: number;

  constructor(tap: Tap, last: number) {
    this.#tap = tap;
    this.#left = last;
  }

  take(event: MachineEvent): void {
    if (EVENT_KINDS[event.kind]?.name === 'dma-read' && --this.#left < 0) throw new Runaway('far enough');
    this.#tap.take(event);
  }
}

function recorded(factory: MachineFactory): { reader: RecordingReader; how: 'cut' | void } {
  const prepared = caseRunner(factory).find(CASE);
  const sink = new MemorySink();
  const recorder = new Recorder(prepared.header, sink);
  let digest: (() => string) | undefined;
  const how = prepared.run((machine) => {
    digest = () => machine.digest();
    recorder.restart(prepared.header, machine);
    machine.setTap(recorder);
  });
  recorder.finish(how === 'cut' ? undefined : digest?.());
  return { reader: new RecordingReader(new MemorySource(sink.bytes)), how };
}

test('a run that is stopped in the middle of an action says so, and its recording replays both ways', (t) => {
  for (const last of [0, 1, 9, 10, 11, 25]) {
    const { reader, how } = recorded(cutting(last));
    t.is(how, 'cut');
    const fed = replayInputs(reader, fedMachine);
    t.is(fed.divergence, undefined);
    t.is(fed.end?.events, fed.events);
    t.is(fed.end?.finalDigest, undefined);
    const again = replayWithGuest(reader, caseRunner(cutting(last)));
    t.is(again?.divergence, undefined);
    t.is(again?.events, fed.events);
  }
});

test('a run that comes to its end claims its last state', (t) => {
  const { reader, how } = recorded(machineFactory([]));
  t.is(how, undefined);
  const again = replayWithGuest(reader, caseRunner(machineFactory([])));
  t.is(again?.divergence, undefined);
  t.regex(again?.end?.finalDigest ?? '', /^[\da-f]{32}$/);
  t.is(replayInputs(reader, fedMachine).divergence, undefined);
});
