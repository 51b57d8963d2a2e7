/** The dashboard in a browser, for its tests. */
import type { Page } from 'playwright-core';
import { startFixture, type Fixture } from './fixture.ts';

export const startWithActors = (options: { readonly token?: string } = {}): Promise<Fixture> =>
  startFixture((_request, response) => response.end('hello'), options);

export const addressOf = (port: number, place = ''): string => `http://127.0.0.1:${port}/${place}`;
export const rows = (page: Page) => page.locator('.row-of-list');
export const has = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
