// What a real QEMU 7.2.22 did, against the rules and against realize: copies of the project's golden logs (the 720
// constructions, the defaults of every machine version, the 216 cells of the matrix log) stand in golden/.
import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import test from 'ava';
import { guestSystem, type GuestSystem } from '../emu/guest/systems.ts';
import { predictLife } from '../emu/machine/fate.ts';
import { policyNamed, VERSIONS, type DeviceProperties, type Policy } from '../emu/machine/policies.ts';
import { construct, type Construction, type Request } from '../emu/machine/prediction.ts';
import { deviceModel } from '../emu/machine/virtio-models.ts';
import { ConstructionDecider } from './decided-construction.ts';

const upstream = policyNamed('upstream') as Policy;

function golden(name: string): string {
  return zstdDecompressSync(readFileSync(new URL(`golden/${name}.zst`, import.meta.url))).toString();
}

function request(version: string, model: string, properties: DeviceProperties): Request | undefined {
  const device = deviceModel(model);
  if (device === undefined) return undefined;
  return {
    policy: upstream,
    version,
    device,
    slot: 'host-bridge',
    properties,
    globals: {},
    capability: false,
  };
}

function propertiesOf(options: readonly string[]): DeviceProperties {
  let properties: DeviceProperties = {};
  for (const option of options) {
    const [name, value] = option.split('=');
    if (name === 'disable-legacy')
      properties = { ...properties, disableLegacy: value as 'auto' | 'on' | 'off' };
    if (name === 'disable-modern') properties = { ...properties, disableModern: value === 'on' };
    if (name === 'iommu_platform') properties = { ...properties, iommuPlatform: value === 'on' };
  }
  return properties;
}

/** Mode by what stands in the BARs, or QEMU's text. */
function seen(outcome: string): string {
  const refused = /^ERR rc=1 -device \S+: (.*)$/.exec(outcome);
  if (refused !== null) return refused[1] ?? '';
  const ports = /0: \('io'/.test(outcome);
  const memory = /4: \('mem64/.test(outcome);
  return ports ? (memory ? 'transitional' : 'legacy') : 'modern';
}

function said(construction: Construction): string {
  return construction.built ? construction.mode : construction.reason;
}

test('every construction of the golden log is predicted and decided as QEMU did, texts included', (t) => {
  const decider = new ConstructionDecider();
  let judged = 0;
  for (const line of golden('construction.txt').split('\n')) {
    const [, version, argument = '', outcome = ''] = /^pseries-(\S+) (\S+) => (.*)$/.exec(line) ?? [];
    if (version === undefined) continue;
    judged++;
    const [model = '', ...options] = argument.split(',');
    const asked = request(version, model, propertiesOf(options));
    if (asked === undefined) {
      t.true(outcome.endsWith(`'${model}' is not a valid device model name`), line);
      continue;
    }
    t.is(said(construct(asked)), seen(outcome), line);
    const decided = decider.decide(asked);
    if (decided !== undefined) t.is(said(decided.construction), seen(outcome), line);
  }
  t.is(judged, 720);
});

interface Defaults {
  readonly [version: string]: Readonly<
    Record<
      string,
      {
        readonly id?: string;
        readonly bars?: Readonly<Record<string, readonly string[]>>;
        readonly props?: Readonly<Record<string, unknown>>;
      }
    >
  >;
}

test('the defaults of every machine version are the ones that R11 names', (t) => {
  const all = JSON.parse(golden('defaults.json')) as Defaults;
  let judged = 0;
  for (const version of VERSIONS) {
    for (const name of ['net', 'blk', 'rng']) {
      const measured = all[version]?.[name];
      const asked = request(version, `virtio-${name}-pci`, {});
      if (measured?.bars === undefined || asked === undefined) continue;
      const bars = measured.bars;
      const mode = bars['0']?.[0] === 'io' ? (bars['4'] === undefined ? 'legacy' : 'transitional') : 'modern';
      t.is(said(construct(asked)), mode, `${version} ${name}`);
      t.is(measured.props?.['iommu_platform'], false, `${version} ${name}`);
      judged++;
    }
  }
  t.is(judged, 3 * VERSIONS.length);
});

interface LoggedCell {
  readonly device: string;
  readonly mode: string;
  readonly iommu_platform: 'on' | 'off';
  readonly machine: string;
  readonly mapping: string;
  readonly cpu_order?: string;
  readonly status_features?: number;
  readonly data_ok?: boolean;
  readonly error?: readonly string[];
}

/** Data arrives for these mappings only; R27, R29 and R31 say why. A device that sends reads its buffer only. */
function dataExpected({ mapping, iommu_platform: iommu, device }: LoggedCell): boolean {
  if (iommu === 'off') return mapping === 'phys';
  return (
    mapping === 'mapped' ||
    mapping === 'mapped-after-enable' ||
    (mapping === 'buffer-read-only' && device === 'net-tx')
  );
}

const MODES: Readonly<Record<string, DeviceProperties>> = {
  legacy: { disableLegacy: 'off', disableModern: true },
  'transitional/legacy': { disableLegacy: 'off', disableModern: false },
  'transitional/modern': { disableLegacy: 'off', disableModern: false },
  modern: { disableLegacy: 'on', disableModern: false },
};

test('every cell of the golden matrix log agrees with what the rules say of it', (t) => {
  const lines = golden('matrix.jsonl').trim().split('\n').slice(1);
  t.is(lines.length, 216);
  for (const line of lines) {
    const cell = JSON.parse(line) as LoggedCell;
    const properties = { ...MODES[cell.mode], iommuPlatform: cell.iommu_platform === 'on' };
    const model = `virtio-${cell.device.replace('-tx', '')}-pci`;
    const asked = request(cell.machine.replace('pseries-', ''), model, properties) as Request;
    const construction = construct(asked);
    if (cell.error !== undefined) {
      t.false(construction.built, line);
      t.true(cell.error[0]?.endsWith(said(construction)), line);
      continue;
    }
    t.true(construction.built, line);
    judgeLife(cell, asked, construction, (holds) => t.true(holds, line));
  }
});

function judgeLife(
  cell: LoggedCell,
  asked: Request,
  construction: Construction,
  claim: (holds: boolean) => void,
): void {
  const legacy = cell.mode === 'legacy' || cell.mode.endsWith('/legacy');
  const declines = cell.mapping === 'feature-declined';
  const guest = guestSystem(legacy ? 'linux-3.19' : declines ? 'linux-4.7' : 'linux-4.8') as GuestSystem;
  const fate = predictLife({ ...asked, guest, secure: false }, construction);
  if (declines) {
    // FEATURES_OK (8) did not stick. A driver that goes on regardless is another guest than any of the table.
    claim(fate.outcome === 'declined' && ((cell.status_features ?? 0) & 8) === 0);
    return;
  }
  claim(fate.works);
  claim(cell.data_ok === dataExpected(cell));
}
