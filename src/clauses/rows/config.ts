import type { ClauseTable } from '../clause.ts';

const NET = 1;
const BLK = 2;
const CONSOLE = 3;
const BALLOON = 5;
const GENERATION = 0x15;
const FEATURES_OK = 8;
const FAILED = 128;
/** A structure longer than any device configuration that the specification lays out. */
const LONG = 256;
const COMPARED = 64;

interface Field {
  readonly from: number;
  readonly to: number;
  /** Any of these makes the field be there. */
  readonly features: readonly number[];
}

function field(from: number, to: number, ...features: number[]): Field {
  return { from, to, features };
}

/** Fields that are there with a feature only, by device type (5.1.4, 5.2.4, 5.3.4, 5.5.4). */
const CONDITIONAL: Readonly<Record<number, readonly Field[]>> = {
  [NET]: [
    field(0, 6, 5),
    field(6, 8, 16),
    field(8, 10, 22, 60),
    field(10, 12, 3),
    field(12, 17, 63),
    field(17, 20, 60),
    field(20, 24, 60, 57),
  ],
  [BLK]: [
    field(8, 12, 1),
    field(12, 16, 2),
    field(16, 20, 4),
    field(20, 24, 6),
    field(24, 32, 10),
    field(32, 33, 11),
    field(34, 36, 12),
    field(36, 48, 13),
    field(48, 57, 14),
    field(60, 72, 16),
    field(72, 96, 17),
  ],
  [CONSOLE]: [field(0, 4, 0), field(4, 8, 1), field(8, 12, 2)],
  [BALLOON]: [field(8, 12, 3), field(12, 16, 4)],
};

/** Device configuration space (2.5). */
export const CONFIG_CLAUSES: ClauseTable = {
  name: 'config',
  checkers: [
    {
      id: 'CFG-DRV-002',
      judge: 'driver',
      watch: (clause, device) => {
        // One run of loads, nothing else between them: of several fields, or of one that is wider than a load.
        const run = clause.state({ first: -1, several: false, guarded: false, generation: false, since: 0 });
        const ends = (byGeneration: boolean): void => {
          if (run.several)
            clause.holds(
              run.guarded && byGeneration,
              'configuration is read outside a pair of config_generation',
              run.since,
            );
          run.first = -1;
          run.several = false;
        };
        return {
          onRegisterRead({ region, offset }) {
            if (region === 'device') {
              if (run.first < 0) {
                run.first = offset;
                run.guarded = run.generation;
                run.since = clause.event;
              } else if (offset !== run.first) run.several = true;
              return;
            }
            run.generation = region === 'common' && offset === GENERATION;
            if (region !== 'legacy') ends(run.generation);
          },
          onRegisterWrite() {
            run.generation = false;
            ends(false);
          },
          onReset() {
            run.generation = false;
            run.first = -1;
            run.several = false;
          },
          onEnd() {
            if (device.running) ends(false);
          },
        };
      },
    },
    {
      id: 'CFG-DRV-003',
      judge: 'driver',
      watch: (clause, device) => {
        const judge = (offset: number): void => {
          for (const { from, to, features } of CONDITIONAL[device.type] ?? []) {
            if (offset < from || offset >= to) continue;
            let there = false;
            for (const bit of features) {
              if (!device.knowsOffer(bit) && (bit < 32 || !device.legacy)) return;
              there ||= device.offers(bit);
            }
            clause.holds(there, 'a field is used whose feature is not offered');
          }
        };
        return { onDeviceConfigRead: judge, onDeviceConfigWrite: judge };
      },
    },
    {
      id: 'CFG-DRV-004',
      judge: 'driver',
      watch: (clause, device) => {
        const seen = clause.state({ chose: false });
        const long = (): boolean => (device.structure('device')?.length ?? 0) > LONG;
        return {
          onFeaturesWrite() {
            seen.chose = true;
          },
          onDriverOk() {
            if (long()) clause.applies();
          },
          onStatusWrite(value) {
            if ((value & ~device.status & FAILED) === 0 || seen.chose || !long()) return;
            clause.breaks('the driver gives up at a configuration that is longer than it expects');
          },
        };
      },
    },
    {
      id: 'CFG-DRV-005',
      judge: 'driver',
      watch: (clause, device) => {
        const judge = (region: string, offset: number, width: number): void => {
          const length = region === 'device' ? (device.structure('device')?.length ?? -1) : -1;
          if (length >= 0)
            clause.holds(offset + width <= length, 'a field is used that the configuration is too short for');
        };
        return {
          onRegisterRead({ region, offset, width }) {
            judge(region, offset, width);
          },
          onRegisterWrite({ region, offset, width }) {
            judge(region, offset, width);
          },
        };
      },
    },
    {
      id: 'CFG-DEV-001',
      judge: 'device',
      watch: (clause, device) => {
        // What was read before FEATURES_OK, byte by byte.
        const early = new Int16Array(COMPARED).fill(-1);
        let any = false;
        const forget = (): void => {
          if (any) early.fill(-1);
          any = false;
        };
        return {
          onBegin: forget,
          onReset: forget,
          onHostInput: forget,
          onDeviceConfigWrite: forget,
          onUsed: forget,
          onIsrRead(value) {
            if ((value & 2) !== 0) forget();
          },
          onInterrupt(vector, level) {
            if (level !== 0 && (!device.msixEnabled || vector === device.configVector)) forget();
          },
          onRegisterRead({ region, offset, width, value }) {
            if (region !== 'device' || width > 4) return;
            const settled = (device.status & FEATURES_OK) !== 0;
            for (let i = 0; i < width && offset + i < COMPARED; i++) {
              const byte = (value >>> (8 * i)) & 0xff;
              const before = early[offset + i] ?? -1;
              if (!settled) {
                early[offset + i] = byte;
                any = true;
              } else if (before >= 0)
                clause.holds(before === byte, 'a field read before FEATURES_OK was not yet as it is after');
            }
          },
        };
      },
    },
  ],
  undecided: [],
};
