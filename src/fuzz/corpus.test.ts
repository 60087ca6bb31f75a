// What is on disk is whole, belongs where it stands, and is found again.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { caseRunner, requestedCase } from './case-runner.ts';
import { caseText, parseCase } from './case-text.ts';
import {
  caseName,
  corpusPath,
  keepCase,
  programText,
  readCase,
  readCases,
  readCorpus,
  writeWhole,
} from './corpus.ts';
import { machineFactory } from './factory.ts';
import { findingName, recordCase, storeFinding } from './finding.ts';
import { checkDisallowed, KNOWN_BREACHES, knownBreach } from './known.ts';
import { reportJunit, reportSarif } from './report.ts';

const VALUE = parseCase(`papyrus case 1
scenario hostile-rings
machine pseries-7.2 device=blk mode=modern iommu_platform=on profile=modern-plat seed=1
submit: r16 r0 w1
`);

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'papyrus-corpus-'));
}

test('a case is kept once, under a name that says what it is', (t) => {
  const at = folder();
  t.true(keepCase(at, VALUE));
  t.false(keepCase(at, VALUE));
  const [stored] = readCorpus(at);
  t.is(stored?.path, corpusPath(at, VALUE));
  t.is(caseText(stored?.value ?? VALUE), caseText(VALUE));
  t.regex(caseName(VALUE), /^blk-modern-submit-[0-9a-f]{16}$/);
  t.is(programText(VALUE), 'submit: r16 r0 w1');
  rmSync(at, { recursive: true });
});

test('a case in the folder of another scenario is refused in one sentence', (t) => {
  const at = folder();
  mkdirSync(join(at, 'tce-maps'));
  writeFileSync(join(at, 'tce-maps', 'stray.case'), caseText(VALUE));
  t.throws(() => readCorpus(at), {
    message: /stray\.case is a case of scenario hostile-rings, and stands in the folder of tce-maps$/,
  });
  rmSync(join(at, 'tce-maps'), { recursive: true });
  mkdirSync(join(at, 'nothing'));
  t.throws(() => readCorpus(at), { message: /no scenario is called 'nothing'/ });
  t.throws(() => readCorpus(join(at, 'absent')), { message: /there is no corpus folder/ });
  writeFileSync(join(at, 'bad.case'), 'garbage');
  t.throws(() => readCase(join(at, 'bad.case')), { message: /bad\.case: no case/ });
  t.throws(() => readCases(join(at, 'bad.case')), { message: /a folder is wanted/ });
  t.deepEqual(readCases(join(at, 'absent')), []);
  rmSync(at, { recursive: true });
});

test('a write that is cut off leaves nothing that is taken for a case', (t) => {
  const at = folder();
  writeWhole(join(at, 'deep', 'a.case'), caseText(VALUE));
  // What a process that died in the middle leaves: a part beside, which nobody reads.
  writeFileSync(join(at, 'deep', '.b.case.1.part'), 'papyrus ca');
  t.deepEqual(
    readCases(join(at, 'deep')).map((one) => one.path),
    [join(at, 'deep', 'a.case')],
  );
  t.throws(() => writeWhole(join(at, 'deep'), 'a folder stands there'));
  t.deepEqual(readdirSync(at), ['deep']);
  rmSync(at, { recursive: true });
});

test('a finding is a case, its recording and a text, stored once', (t) => {
  const at = folder();
  const breach = { oracle: 'G1', reason: 'the device read 1 bytes at 0x0' };
  const factory = machineFactory([]);
  const first = storeFinding(at, VALUE, breach, 'papyrus fuzz --seed s --runs 1', factory);
  t.true(first.isNew);
  t.is(first.name, findingName(VALUE, breach));
  t.false(storeFinding(at, VALUE, breach, '', factory).isNew);
  t.deepEqual(
    readdirSync(at)
      .map((name) => name.slice(first.name.length))
      .toSorted(),
    ['.case', '.md', '.rec.cbor'],
  );
  t.true(readFileSync(join(at, `${first.name}.md`), 'utf8').includes(first.command));
  recordCase(join(at, 'again.rec.cbor'), VALUE, factory);
  t.deepEqual(readFileSync(join(at, 'again.rec.cbor')), readFileSync(join(at, `${first.name}.rec.cbor`)));
  rmSync(at, { recursive: true });
  t.false(existsSync(at));
});

test('a case is asked for by file, by scenario and seed, or by guest', (t) => {
  const nothing = { seed: undefined, machine: undefined, device: undefined, guest: undefined };
  const drawn = requestedCase({ ...nothing, name: 'tce-maps:42', device: 'net' });
  t.is(drawn.scenario, 'tce-maps');
  t.is(drawn.machine.device, 'net');
  t.deepEqual(requestedCase({ ...nothing, name: 'tce-maps:42', device: 'net' }), drawn);
  t.is(requestedCase({ ...nothing, name: 'legacy-be' }).machine.profile, 'legacy-be');
  t.throws(() => requestedCase({ ...nothing, name: 'legacy-be', machine: 'pc' }), {
    message: /no machine type is called 'pc'/,
  });
  t.throws(() => requestedCase({ ...nothing, name: 'no-such-file.case' }));
  const runner = caseRunner(machineFactory([]));
  t.is(
    runner.again(
      { kind: 'elsewhere', name: '', seed: '', program: new Uint8Array(0) },
      runner.ready(VALUE).header,
    ),
    undefined,
  );
});

test('what QEMU does wrong itself is known by name, and a name takes it back', (t) => {
  const jump = {
    oracle: 'G2',
    reason: 'one action of the guest made the device serve more entries than its rings have',
  };
  t.is(knownBreach(jump)?.name, 'available-index-jump');
  t.is(knownBreach(jump, ['available-index-jump']), undefined);
  t.is(knownBreach({ ...jump, oracle: 'G1' }), undefined);
  t.throws(() => checkDisallowed(['x']), { message: /no known finding is called 'x'/ });
  for (const row of KNOWN_BREACHES) t.true(row.because.length > 40);
});

test('reports hold every finding, escaped', (t) => {
  const finding = { name: 'f', oracle: 'G1', reason: 'a < b & "c"', command: 'papyrus minimise f.case' };
  t.true(reportJunit([finding], 7).includes('a &lt; b &amp; &quot;c&quot;'));
  const sarif = JSON.parse(reportSarif([finding])) as { runs: { results: { ruleId: string }[] }[] };
  t.is(sarif.runs[0]?.results[0]?.ruleId, 'G1');
});
