import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { caseText } from '../fuzz/case-text.ts';
import { readCase, writeWhole } from '../fuzz/corpus.ts';
import { MODES, type Mode } from '../fuzz/case.ts';
import { drawSeed } from '../fuzz/plan.ts';
import { EXPLANATIONS } from '../qemu/differences.ts';
import { emptyReport, judge, runOracle, type OracleFinding, type OracleReport } from '../qemu/oracle.ts';
import { versionOf } from '../qemu/process.ts';
import { Rival, type Difference } from '../qemu/rival.ts';
import { EXIT, UsageError, type OracleOptions } from './options.ts';

const CASES = 500;
const EVERY = 200;

/** Runs cases on a real QEMU beside the emulator. Status 1 if they differ where nothing explains it. */
export function oracle(options: OracleOptions): number {
  const path = options.qemu ?? 'qemu-system-ppc64';
  try {
    versionOf(path);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const started = performance.now();
  const seed = options.seed ?? drawSeed(Math.random);
  const report = options.case === undefined ? campaign(options, path, seed) : oneCase(options.case, path);
  const seconds = (performance.now() - started) / 1000;
  const findings = [...report.findings.values()];
  for (const finding of findings) tell(finding, options);
  if (options.json) process.stdout.write(`${JSON.stringify(summary(report, seed, seconds))}\n`);
  else process.stdout.write(summaryText(report, seed, seconds));
  return findings.length === 0 ? EXIT.fine : EXIT.wrong;
}

function campaign(options: OracleOptions, path: string, seed: string): OracleReport {
  const plan = {
    seed,
    cases: options.cases ?? CASES,
    scenarios: options.scenario,
    filter: {
      machines: options.machine,
      devices: options.device,
      modes: MODES.filter((mode: Mode) => options.mode.includes(mode)),
      iommuPlatform: options.iommuPlatform.map((word) => word === 'on'),
    },
  };
  return runOracle(plan, { path }, (report) => {
    if (options.json || report.cases % EVERY !== 0) return;
    process.stderr.write(`${report.cases} cases, ${report.findings.size} findings\n`);
  });
}

function oneCase(file: string, path: string): OracleReport {
  const { value } = readCase(file);
  const rival = new Rival(value.machine, { path });
  const report = emptyReport(rival.qemuVersion);
  try {
    judge(rival, value, report);
    report.starts = rival.takeStarts();
  } finally {
    rival.stop();
  }
  return report;
}

function tell(finding: OracleFinding, options: OracleOptions): void {
  const text = caseText(finding.value);
  const { difference } = finding;
  let file = options.case;
  if (file === undefined) {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    mkdirSync(options.findings, { recursive: true });
    file = join(options.findings, `oracle-${difference.what}-${finding.value.machine.device}-${hash}.case`);
    writeWhole(file, text);
  }
  const command = `papyrus oracle --case ${file}`;
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ type: 'finding', ...difference, cases: finding.cases, file, command })}\n`,
    );
  else process.stdout.write(`${differenceText(difference)} (${finding.cases} cases): ${command}\n`);
}

function differenceText(difference: Difference): string {
  const { what, subject, emulator, qemu } = difference;
  return `${what} ${subject}: emulator ${emulator === '' ? 'nothing' : emulator}, QEMU ${qemu === '' ? 'nothing' : qemu}`;
}

function summary(report: OracleReport, seed: string, seconds: number): Record<string, unknown> {
  const explained = Object.fromEntries(report.explained);
  return {
    type: 'summary',
    seed,
    qemu: report.version,
    cases: report.cases,
    seconds,
    jobs: 1,
    findings: report.findings.size,
    unexplained: [...report.findings.values()].reduce((sum, finding) => sum + finding.cases, 0),
    explained,
    features: 0,
    corpus: 0,
    clauses: 0,
    starts: report.starts,
  };
}

function summaryText(report: OracleReport, seed: string, seconds: number): string {
  const lines = [...report.explained].map(([name, cases]) => {
    const row = EXPLANATIONS.find((one) => one.name === name);
    return `  ${cases} cases: ${row?.what ?? name} (${row?.why ?? ''}; ${row?.source ?? ''})\n`;
  });
  const rate = (report.cases / seconds).toFixed(0);
  return `${lines.join('')}${report.cases} cases on QEMU ${report.version} and here, seed ${seed}, ${seconds.toFixed(1)} s (${rate}/s), QEMU started ${report.starts} times: ${report.findings.size} findings\n`;
}
