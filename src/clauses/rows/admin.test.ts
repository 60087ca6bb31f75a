import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { ADMIN_PROOFS } from './_admin.ts';
import { ADMIN_CLAUSES } from './admin.ts';

clauseLaws(test, ADMIN_CLAUSES, ADMIN_PROOFS);
