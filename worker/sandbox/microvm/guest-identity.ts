/** Who a guest is told to be: it knows its name and its namespace apart, as whoever calls it does. */
import { nameOf, namespaceOf } from '../../../shared/actor/namespace.ts';
import type { Identity } from '../sandbox.ts';

export const toldToGuest = ({ id, template, ...rest }: Identity): object => ({
  ...{ id: nameOf(id), namespace: namespaceOf(id), template: nameOf(template) },
  ...rest,
});
