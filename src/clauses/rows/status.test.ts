import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { STATUS_PROOFS } from './_status.ts';
import { STATUS_CLAUSES } from './status.ts';

clauseLaws(test, STATUS_CLAUSES, STATUS_PROOFS);
