/** What `--help` prints. docs/loadtest.md explains the scenarios. */
export const helpText = `Measures how long calls take that find their actor asleep, running, or not yet there.

Usage: npm run loadtest -- [options]
       npm run loadtest -- --compare a.json b.json [--html file] [--png file]

What is measured
  --scenario name       cold, warm, hot, all (default): those three in turns
                        mixed, burst, staggered, parallel-resume, cross-node, memory, ladder, churn
                        start: compares the cold starts of several templates
  --url url             where the api answers (DORMOUSE_URL, or http://127.0.0.1:7070)
  --template name       what the actors are made from (counter)
  --template-file file  for start, at least two: JSON specifications, each applied under a name of its own
  --path path           what is called (/)

How much
  --rounds number       how often each series is measured (10)
  --warm-up number      rounds before them that are discarded (1); seconds for mixed and each step of the ladder
  --calls number        hot calls in each round (50)
  --rate number         calls a second of hot and mixed, in an open loop (20)
  --actors number       of mixed, burst, staggered, ladder, churn (8)
  --duration seconds    of mixed and churn (60)
  --gap ms              between the calls of staggered (200)
  --zipf exponent       of mixed: how much more popular the popular actors are (1.1)
  --idle ms             of mixed: an actor that nobody called for so long is put to sleep (2000)
  --parallel list       of parallel-resume (1,2,4,8)
  --dirty list          of memory, in MiB (1,16,64)
  --dirty-path path     of memory: what dirties so many (/allocate?mib={mib})
  --kind hot|warm       of the ladder: calls to running actors, or wakes of sleeping ones (hot)
  --ladder list         of the ladder: first rate a second, factor, steps at most (10,1.5,12)
  --step seconds        of the ladder: how long each step is counted (10)
  --p50-bound ms        of the ladder: above this median a step is too much (100 for hot, 1000 for warm)
  --seed number         of arrivals and popularity: two runs with one seed offer the same load (1)

Leak check of churn, besides what the api tells about its nodes
  --local               processes, descriptors, namespaces, mounts and memory on this machine
  --home folder         of the platform (DORMOUSE_HOME, or ./.dormouse)
  --redis-url url       keys that do not expire
  --store url           objects

Any other endpoint that scales to zero (hot, warm, all, mixed, burst, staggered, ladder, churn)
  --plain               the url is not Dormouse's; {n} in it and in the commands is an endpoint's number
  --sleep-command json  ["program","argument",…]: puts it to sleep, and returns when it is
  --wake-command json   wakes it, timed with the call; without it the call does

Results
  --json file           everything, as JSON
  --html file           a page with charts, without outside assets
  --png file            the page as a picture, by Chromium
  --chromium file       which one (found in the usual places)

Exit codes: 0 every call did what was asked and nothing grew, 1 not so, 2 the command line is wrong.`;
