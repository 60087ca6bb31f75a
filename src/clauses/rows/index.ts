import type { ClauseTable } from '../clause.ts';
import { ADMIN_CLAUSES } from './admin.ts';
import { BALLOON_CLAUSES } from './balloon.ts';
import { BLK_CLAUSES } from './blk.ts';
import { CONFIG_CLAUSES } from './config.ts';
import { CONSOLE_CLAUSES } from './console.ts';
import { FEATURES_CLAUSES } from './features.ts';
import { NET_CONFIG_CLAUSES } from './net-config.ts';
import { NET_CONTROL_CLAUSES } from './net-control.ts';
import { NET_EXTRA_CLAUSES } from './net-extra.ts';
import { NET_LEGACY_CLAUSES } from './net-legacy.ts';
import { NET_RECEIVE_CLAUSES } from './net-receive.ts';
import { NET_TRANSMIT_CLAUSES } from './net-transmit.ts';
import { PCI_CLAUSES } from './pci.ts';
import { RINGS_CLAUSES } from './rings.ts';
import { RNG_CLAUSES } from './rng.ts';
import { SCSI_CLAUSES } from './scsi.ts';
import { STATUS_CLAUSES } from './status.ts';

/** Every table of checkers. A new one is a file beside this and a line here. */
export const CLAUSE_TABLES: readonly ClauseTable[] = [
  STATUS_CLAUSES,
  FEATURES_CLAUSES,
  CONFIG_CLAUSES,
  PCI_CLAUSES,
  RINGS_CLAUSES,
  NET_CONFIG_CLAUSES,
  NET_TRANSMIT_CLAUSES,
  NET_RECEIVE_CLAUSES,
  NET_CONTROL_CLAUSES,
  NET_EXTRA_CLAUSES,
  NET_LEGACY_CLAUSES,
  BLK_CLAUSES,
  CONSOLE_CLAUSES,
  RNG_CLAUSES,
  BALLOON_CLAUSES,
  SCSI_CLAUSES,
  ADMIN_CLAUSES,
];
