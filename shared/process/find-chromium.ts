/** The Chromium that is installed. Failure: `invalid-configuration` when there is none. */
import { access, constants } from 'node:fs/promises';
import { DormouseError } from '../errors/dormouse-error.ts';

/** Where Debian, and the browser's other packages, put it. */
const knownPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

export async function findChromium(given?: string): Promise<string> {
  for (const place of given === undefined ? knownPlaces : [given]) {
    const there = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  const looked = given === undefined ? `in ${knownPlaces.join(', ')}` : `at ${given}`;
  const message = `no Chromium ${looked}: install the package chromium, or name it with --chromium`;
  throw new DormouseError('invalid-configuration', message);
}
