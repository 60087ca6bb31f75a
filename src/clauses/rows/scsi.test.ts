import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { SCSI_PROOFS } from './_scsi.ts';
import { SCSI_CLAUSES } from './scsi.ts';

clauseLaws(test, SCSI_CLAUSES, SCSI_PROOFS);
