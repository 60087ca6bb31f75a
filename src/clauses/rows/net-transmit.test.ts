import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_TRANSMIT_PROOFS } from './_net-transmit.ts';
import { NET_TRANSMIT_CLAUSES } from './net-transmit.ts';

clauseLaws(test, NET_TRANSMIT_CLAUSES, NET_TRANSMIT_PROOFS);
