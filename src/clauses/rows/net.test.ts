import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_PROOFS } from './_net.ts';
import { NET_CLAUSES } from './net.ts';

clauseLaws(test, NET_CLAUSES, NET_PROOFS);
