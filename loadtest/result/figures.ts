/** How figures are written, in the text and on the page: a dash is what was not measured. */

export const milliseconds = (value: number | undefined): string =>
  value === undefined ? '-' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

export const percentage = (share: number | undefined): string =>
  share === undefined ? '-' : `${(share * 100).toFixed(1)}%`;

export const ratio = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(2)} ×`);

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytes(value: number | undefined): string {
  if (value === undefined) return '-';
  let [amount, unit] = [value, 0];
  while (amount >= 1024 && unit < units.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${amount.toFixed(unit === 0 || amount >= 100 ? 0 : 1)} ${units[unit] ?? ''}`;
}
