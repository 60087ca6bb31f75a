/** A campaign on both machines: every configuration in turn, a part of the cases each. */
import { machineRows, type MachineRow } from '../fuzz/machines.ts';
import type { MachineFilter } from '../fuzz/arbitraries/machine-config.ts';
import type { Case } from '../fuzz/case.ts';
import { shrinkCase } from '../fuzz/minimise.ts';
import { BLOCK_CASES, Drawer } from '../fuzz/plan.ts';
import { explanationOf, type Explanation } from './differences.ts';
import type { QemuOptions } from './process.ts';
import { Rival, type Difference } from './rival.ts';

export interface OraclePlan {
  readonly seed: string;
  readonly cases: number;
  readonly scenarios: readonly string[];
  readonly filter: MachineFilter;
}

/** Where two machines differ and nothing explains it. */
export interface OracleFinding {
  readonly value: Case;
  readonly difference: Difference;
  /** Cases whose first unexplained difference is of the same kind. */
  cases: number;
}

export interface OracleReport {
  readonly version: string;
  cases: number;
  /** Starts of QEMU. */
  starts: number;
  /** Cases of which every difference is explained, by the name of the row. */
  readonly explained: Map<string, number>;
  readonly findings: Map<string, OracleFinding>;
}

/** Machine types that are run where none is named: the newest, the middle of the range, and one from before 2.7. */
const MACHINES_BY_DEFAULT: readonly string[] = ['pseries-7.2', 'pseries-5.0', 'pseries-2.6'];
/** Devices whose host ends the bridge has on the other side too: a disk, a socket, entropy. */
const DEVICES: readonly string[] = ['blk', 'net', 'rng', 'scsi'];
const SHRINKS_MAX = 120;

/** Rows whose device and machine are the same share a QEMU. */
function hardwareKey(row: MachineRow): string {
  return `${row.machine}/${row.device}/${row.mode}/${row.iommuPlatform}`;
}

/** Throws one sentence where the filter leaves nothing. */
function oracleRows(filter: MachineFilter): readonly MachineRow[] {
  const stranger = filter.devices?.find((name) => !DEVICES.includes(name));
  if (stranger !== undefined)
    throw new Error(`the bridge to QEMU knows no device '${stranger}': choose from ${DEVICES.join(', ')}`);
  const machines = filter.machines?.length ? filter.machines : MACHINES_BY_DEFAULT;
  const devices = filter.devices?.length ? filter.devices : DEVICES;
  const rows = machineRows({ ...filter, machines, devices });
  if (rows.length === 0)
    throw new Error(
      'no machine is left to run on: QEMU refuses iommu_platform=on in other modes than modern, and machines are called pseries-2.1 … pseries-7.2',
    );
  return rows.toSorted((a, b) => compareTexts(hardwareKey(a), hardwareKey(b)));
}

/** Runs the plan; `progress` hears after every case. */
export function runOracle(
  plan: OraclePlan,
  options: QemuOptions,
  progress: (report: OracleReport) => void,
): OracleReport {
  const rows = oracleRows(plan.filter);
  let rival: Rival | undefined;
  let key = '';
  let report: OracleReport | undefined;
  try {
    for (const [index, row] of rows.entries()) {
      const share = shareOf(plan.cases, rows.length, index);
      if (share === 0) continue;
      if (hardwareKey(row) !== key || rival === undefined) {
        rival?.stop();
        rival = new Rival({ ...row, seed: plan.seed }, options);
        key = hardwareKey(row);
        report ??= emptyReport(rival.qemuVersion);
      }
      if (report === undefined) throw new Error('no QEMU was started');
      const drawer = new Drawer({
        seed: plan.seed,
        scenarios: plan.scenarios,
        filter: filterFor(row),
        plants: [],
      });
      for (let i = 0; i < share; i++) {
        // One case of each block: its scenario is drawn for the block.
        judge(rival, drawer.draw((index + i * rows.length) * BLOCK_CASES), report);
        progress(report);
      }
      report.starts += rival.takeStarts();
    }
  } finally {
    rival?.stop();
  }
  return report ?? emptyReport('');
}

/** One case on both machines, as `runOracle` counts it. */
export function judge(rival: Rival, value: Case, report: OracleReport): void {
  report.cases++;
  const differences = rival.compare(value);
  const rows = new Set<Explanation>();
  for (const difference of differences) {
    const row = explanationOf(difference, value);
    if (row === undefined) {
      note(rival, value, difference, report);
      return;
    }
    rows.add(row);
  }
  for (const row of rows) report.explained.set(row.name, (report.explained.get(row.name) ?? 0) + 1);
}

/** What two differences share if they are one finding. */
function kindOf(difference: Difference, value: Case): string {
  const subject = difference.what === 'log' ? '' : difference.subject;
  return `${difference.what} ${value.machine.device} ${subject}`.trim();
}

function note(rival: Rival, value: Case, difference: Difference, report: OracleReport): void {
  const kind = kindOf(difference, value);
  const known = report.findings.get(kind);
  if (known !== undefined) {
    known.cases++;
    return;
  }
  let found = difference;
  const small = shrinkCase(value, SHRINKS_MAX, (smaller) => {
    // Another machine would need another QEMU.
    if (hardwareKey(smaller.machine) !== hardwareKey(value.machine)) return false;
    const first = rival.compare(smaller).find((one) => explanationOf(one, smaller) === undefined);
    if (first === undefined || kindOf(first, smaller) !== kind) return false;
    found = first;
    return true;
  });
  report.findings.set(kind, { value: small.value, difference: found, cases: 1 });
}

/** A report of nothing yet. */
export function emptyReport(version: string): OracleReport {
  return { version, cases: 0, starts: 0, explained: new Map(), findings: new Map() };
}

function shareOf(cases: number, rows: number, index: number): number {
  return Math.floor(((index + 1) * cases) / rows) - Math.floor((index * cases) / rows);
}

function filterFor(row: MachineRow): MachineFilter {
  return {
    machines: [row.machine],
    devices: [row.device],
    modes: [row.mode],
    iommuPlatform: [row.iommuPlatform],
    profiles: [row.profile],
  };
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
