import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CaseRunner, WatchedMachine } from '../trace/case-runner.ts';
import { FileSink, Recorder, type RecordingTotals } from '../trace/recorder.ts';
import { EXIT, UsageError, type RecordOptions } from './options.ts';

/** Runs one case and writes its recording. If that fails, no file is left. */
export async function record(options: RecordOptions, runner: CaseRunner): Promise<number> {
  const folder = dirname(options.output);
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder} to write ${options.output} to`);
  const prepared = runner.find({
    name: options.case,
    seed: options.seed,
    machine: options.machine,
    device: options.device,
    guest: options.guest,
    behaviour: options.behaviour,
  });
  const recorder = new Recorder(prepared.header, new FileSink(options.output));
  let totals: RecordingTotals;
  try {
    let machine: WatchedMachine | undefined;
    const how = prepared.run((made) => {
      machine = made;
      recorder.restart(prepared.header, made);
      made.setTap(recorder);
    });
    totals = recorder.finish(how === 'cut' ? undefined : machine?.digest());
  } catch (error) {
    recorder.discard();
    throw error;
  }
  const text = options.json
    ? JSON.stringify({ type: 'summary', file: options.output, ...totals })
    : `${options.output}: ${totals.events} events in ${totals.fileBytes} bytes`;
  process.stdout.write(`${text}\n`);
  return EXIT.fine;
}
