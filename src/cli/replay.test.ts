// The four commands about recordings, through their front doors, over cases of the toy machine.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ToyMachine, toyRunner } from '../trace/_toy.ts';
import type { InspectOptions } from './options.ts';
import { diff } from './diff.ts';
import { inspect } from './inspect.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'papyrus-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

/** Runs a command and gathers what it prints. Tests that use it run one after the other. */
async function run(command: () => Promise<number>): Promise<{ status: number; out: string; err: string }> {
  const kept = {
    out: process.stdout.write.bind(process.stdout),
    err: process.stderr.write.bind(process.stderr),
  };
  let out = '';
  let err = '';
  process.stdout.write = (text: string) => ((out += text), true);
  process.stderr.write = (text: string) => ((err += text), true);
  try {
    return { status: await command(), out, err };
  } catch (error) {
    return { status: 2, out, err: error instanceof Error ? error.message : '' };
  } finally {
    process.stdout.write = kept.out;
    process.stderr.write = kept.err;
  }
}

const recordToy = (seed: string, actions: number, output: string): ReturnType<typeof run> =>
  run(() => record({ case: `toy:${seed}:${actions}`, output, json: false }, toyRunner()));
const replayFiles = (files: readonly string[], fault = -1): ReturnType<typeof run> =>
  run(() => replay({ files, json: false }, toyRunner(fault)));
const inspected: InspectOptions = { file: at('a.rec.cbor'), kind: [], json: true };

test.serial('a case is recorded and replays identically', async (t) => {
  const made = await recordToy('a', 2000, at('a.rec.cbor'));
  t.is(made.status, 0);
  t.regex(made.out, /a\.rec\.cbor: \d+ events in \d+ bytes\n$/);
  const { status, out, err } = await replayFiles([folder]);
  t.is(status, 0);
  t.regex(out, /a\.rec\.cbor: \d+ events identical \(guest\)\n$/);
  t.is(err, '');
});

test.serial('a divergence is told with both values, and is status 1', async (t) => {
  const { status, out } = await replayFiles([at('a.rec.cbor')], 5);
  t.is(status, 1);
  t.regex(
    out,
    /diverged after \d+ events\n {2}event \d+ \(read-value\) differs in value: recorded 0x\w+, happened 0x\w+/,
  );
  const json = await run(() => replay({ files: [at('a.rec.cbor')], json: true }, toyRunner(5)));
  const summary = JSON.parse(json.out) as { diverged: number; recordings: { verdict: string }[] };
  t.is(summary.diverged, 1);
  t.is(summary.recordings[0]?.verdict, 'diverged');
});

test.serial('without a guest the inputs are fed, or the file is refused', async (t) => {
  const runner = { ...toyRunner(), again: () => undefined };
  const options = { files: [at('a.rec.cbor')], json: false };
  const fed = await run(() => replay(options, runner, () => new ToyMachine()));
  t.is(fed.status, 0);
  t.regex(fed.out, /identical \(inputs\)/);
  const refused = await run(() => replay(options, runner));
  t.is(refused.status, 2);
  t.regex(refused.err, /names no guest that this version can run again/);
});

test.serial('damaged, torn, foreign and missing files are one sentence and status 2', async (t) => {
  copyFileSync(at('a.rec.cbor'), at('torn'));
  truncateSync(at('torn'), readFileSync(at('torn')).length - 50);
  writeFileSync(at('foreign'), '{}');
  const bytes = readFileSync(at('a.rec.cbor'));
  bytes[3000] = (bytes[3000] ?? 0) ^ 1;
  writeFileSync(at('flipped'), bytes);
  for (const name of ['torn', 'foreign', 'flipped', 'missing']) {
    for (const command of [
      () => replayFiles([at(name)]),
      () => run(() => inspect({ ...inspected, file: at(name), whoWrote: 1n })),
    ]) {
      const { status, err } = await command();
      t.is(status, 2, name);
      t.is(err.trimEnd().split('\n').length, 1, err);
    }
  }
  const bad = await run(() => record({ case: 'unknown', output: at('never'), json: false }, toyRunner()));
  t.is(bad.status, 2);
  t.false(existsSync(at('never')));
});

test.serial('a folder without recordings is refused', async (t) => {
  const empty = mkdtempSync(join(tmpdir(), 'papyrus-'));
  const { status, err } = await replayFiles([empty]);
  t.is(status, 2);
  t.regex(err, /holds no recordings/);
  rmSync(empty, { recursive: true });
});

test.serial('inspect exports, finds writers, and knows its kinds', async (t) => {
  const exported = await run(() =>
    inspect({ ...inspected, kind: ['interrupt'], to: ['json', at('out.json')] }),
  );
  t.is(exported.status, 0);
  const document = JSON.parse(readFileSync(at('out.json'), 'utf8')) as { events: { kind: string }[] };
  t.true(document.events.length > 100 && document.events.every((event) => event.kind === 'interrupt'));
  const wrote = await run(() => inspect({ ...inspected, whoWrote: 0x10040n }));
  t.regex((JSON.parse(wrote.out) as { line: string }).line, /dma-write 00:01\.0 0x40 /);
  const nobody = await run(() => inspect({ ...inspected, json: false, whoWrote: 0x1n }));
  t.regex(nobody.out, /no recorded event wrote 0x1;/);
  const stranger = await run(() => inspect({ ...inspected, kind: ['telepathy'] }));
  t.is(stranger.status, 2);
  t.regex(stranger.err, /no kind of event called telepathy/);
  const format = await run(() => inspect({ ...inspected, to: ['jpeg', at('out.jpeg')] }));
  t.is(format.status, 2);
  t.false(existsSync(at('out.jpeg')) || existsSync(at('out.jpeg.part')));
});

test.serial('diff tells the first difference', async (t) => {
  await recordToy('b', 100, at('b.rec.cbor'));
  await recordToy('b', 100, at('c.rec.cbor'));
  await recordToy('b', 90, at('d.rec.cbor'));
  const same = await run(() => diff({ a: at('b.rec.cbor'), b: at('c.rec.cbor'), json: false }));
  t.is(same.status, 0);
  t.regex(same.out, /all the same/);
  const shorter = await run(() => diff({ a: at('b.rec.cbor'), b: at('d.rec.cbor'), json: false }));
  t.is(shorter.status, 1);
  t.regex(shorter.out, /origin\.name differs: "100" and "90"\nevent \d+ is in one recording only/);
  const other = await run(() => diff({ a: at('b.rec.cbor'), b: at('a.rec.cbor'), json: true }));
  t.is(other.status, 1);
  t.is((JSON.parse(other.out) as { same: boolean }).same, false);
});
