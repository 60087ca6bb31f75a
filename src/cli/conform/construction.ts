import { UsageError } from '../options.ts';
import type { Lines, Tally } from './log.ts';
import { makeProbe, type Probe } from './probe.ts';

/** Where the collector looked for the BARs: the windows of pseries-2.8 and newer, whatever the machine. */
const COLLECTOR_PORTS = 0x2000_0000_1000;
const COLLECTOR_MEMORY = 0x2100_1000_0000;
const LEGACY_BAR = 0;
const MODERN_BAR = 4;
const DEVICE_FEATURE_SELECT = 0;
const DEVICE_FEATURE = 4;

/**
 * Holds a list of constructions against the emulator: `machine device-options => ok …` or `=> ERR rc=1 …`, where an
 * error's hint stands on a line of its own.
 */
export async function conformConstruction(lines: Lines, tally: Tally): Promise<void> {
  let number = 0;
  let open: { line: number; subject: string; expected: string } | undefined;
  const close = (): void => {
    if (open !== undefined) judge(open.line, open.subject, open.expected, tally);
    open = undefined;
  };
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    const arrow = line.indexOf(' => ');
    if (arrow >= 0) {
      close();
      open = { line: number, subject: line.slice(0, arrow), expected: line.slice(arrow + 4) };
    } else if (open === undefined) throw new UsageError(`line ${number}: neither a construction nor a hint`);
    else {
      open.expected += `\n${line}`;
      tally.judged();
    }
  }
  close();
}

function judge(line: number, subject: string, expected: string, tally: Tally): void {
  tally.judged();
  const space = subject.indexOf(' ');
  const machine = subject.slice(0, space);
  const device = subject.slice(space + 1);
  const made = makeProbe({ machine, device });
  const actual = made.accepted ? describe(made.value) : describeRefusal(made.reason, made.hint);
  if (actual !== expected) tally.mismatch(line, subject, expected, actual);
}

function describeRefusal(reason: string, hint: string | undefined): string {
  return `ERR rc=1 ${reason}${hint === undefined ? '' : `\n${hint}`}`;
}

function describe(probe: Probe): string {
  const id = hex(probe.config(0, 4), 8);
  const revision = hex(probe.config(8, 1), 2);
  const subsystem = hex(probe.config(0x2c, 4), 8);
  return `ok id=${id} rev=${revision} sub=${subsystem} bars=${describeBars(probe)}${describeFeatures(probe)}`;
}

function describeBars(probe: Probe): string {
  const bars = probe.function.bars.filter((bar) => bar.index < 6);
  const texts = bars.map((bar) => {
    const kind = bar.kind + (bar.prefetchable ? 'pf' : '');
    return `${bar.index}: ('${kind}', '0x${bar.region.size.toString(16)}')`;
  });
  return `{${texts.join(', ')}}`;
}

function describeFeatures(probe: Probe): string {
  probe.placeBar(LEGACY_BAR, probe.machine.bridge.io.cpu + 0x1000);
  probe.placeBar(MODERN_BAR, (probe.machine.bridge.mem64 ?? probe.machine.bridge.mem32).cpu + 0x1000_0000);
  probe.enable();
  let text = '';
  if (probe.bar(MODERN_BAR) !== undefined) {
    const words = [0, 1].map((word) => {
      probe.write(COLLECTOR_MEMORY + DEVICE_FEATURE_SELECT, 4, word);
      return BigInt(probe.read(COLLECTOR_MEMORY + DEVICE_FEATURE, 4));
    });
    text += ` mf=0x${((words[0] ?? 0n) | ((words[1] ?? 0n) << 32n)).toString(16)}`;
  }
  if (probe.bar(LEGACY_BAR) !== undefined) text += ` lf=0x${probe.read(COLLECTOR_PORTS, 4).toString(16)}`;
  return text;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
