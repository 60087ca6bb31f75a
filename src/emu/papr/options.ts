import type { PaprOptions } from './environment.ts';

/** pseries-7.2 with a POWER9 under TCG and 256 MiB, one CPU, an nvram and a console: what others differ from. */
export const PSERIES_7_2: PaprOptions = {
  ramBytes: 0x1000_0000,
  maxRamBytes: 0x1000_0000,
  cpus: 1,
  maxCpus: 1,
  vsmt: 1,
  cpu: 'power9',
  icMode: 'dual',
  legacyIrqNumbers: false,
  // 4 KiB, 64 KiB, 2 MiB and 16 MiB pages.
  phbs: [{ index: 0, ddw: true, pageSizeMask: 0x121_1000 }],
  phbPlacement: { scheme: '2.8' },
  vio: [{ kind: 'spapr-nvram' }, { kind: 'spapr-vty' }],
  mitigations: { cfpc: 'workaround', sbbc: 'workaround', ibs: 'workaround', countCacheFlushAssist: true },
  numaForm2: true,
  hotplugEventSource: true,
  hptResize: true,
  fwnmi: true,
  nestedHv: false,
  drcPhbs: 31,
  drcCpus: true,
  drcPci: true,
  uuid: undefined,
  epochSeconds: 1_583_798_400,
};
