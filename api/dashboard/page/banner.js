// @ts-check
/**
 * One calm line while the API does not answer. The page keeps what it knows, asks again and again (less and less often),
 * and has everything looked at once the API is back.
 */
import { onReach } from './api.js';
import { fill, find, make } from './dom.js';

const firstPauseMs = 1000;
const longestPauseMs = 10_000;
const probeLimitMs = 5000;

/** @param {{onBack: () => void}} parts */
export function watchReach({ onBack }) {
  const banner = find('banner', HTMLElement);
  let away = false;
  let pauseMs = firstPauseMs;
  let timer = 0;
  const probe = async () => {
    const answered = await fetch('healthz', { cache: 'no-store', signal: AbortSignal.timeout(probeLimitMs) })
      .then(() => true)
      .catch(() => false);
    if (!away) return;
    if (answered) return back();
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    timer = window.setTimeout(() => void probe(), pauseMs);
  };
  const back = () => {
    away = false;
    window.clearTimeout(timer);
    banner.hidden = true;
    fill(banner);
    onBack();
  };
  const leave = () => {
    away = true;
    pauseMs = firstPauseMs;
    banner.hidden = false;
    const now = make(
      'button',
      { type: 'button', class: 'quiet', onclick: () => (window.clearTimeout(timer), void probe()) },
      'Try now',
    );
    fill(
      banner,
      make(
        'p',
        {},
        make('strong', {}, 'The API does not answer. '),
        'What you see is what was last known; the page goes on by itself when it is back. ',
        make('code', { class: 'code' }, 'unreachable'),
      ),
      now,
    );
    timer = window.setTimeout(() => void probe(), pauseMs);
  };
  onReach((reach) => {
    if (reach === 'unreachable' && !away) leave();
    else if (reach !== 'unreachable' && away) back();
  });
}
