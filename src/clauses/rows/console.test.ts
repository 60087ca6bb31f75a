import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { CONSOLE_PROOFS } from './_console.ts';
import { CONSOLE_CLAUSES } from './console.ts';

clauseLaws(test, CONSOLE_CLAUSES, CONSOLE_PROOFS);
