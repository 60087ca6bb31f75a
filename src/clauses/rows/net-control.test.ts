import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_CONTROL_PROOFS } from './_net-control.ts';
import { NET_CONTROL_CLAUSES } from './net-control.ts';

clauseLaws(test, NET_CONTROL_CLAUSES, NET_CONTROL_PROOFS);
