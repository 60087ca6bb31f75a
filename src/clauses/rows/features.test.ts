import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { FEATURES_PROOFS } from './_features.ts';
import { FEATURES_CLAUSES } from './features.ts';

clauseLaws(test, FEATURES_CLAUSES, FEATURES_PROOFS);
