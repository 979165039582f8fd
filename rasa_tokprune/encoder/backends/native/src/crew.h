/* A few threads that help with one long sentence at a time.
 *
 * Work is cut into chunks that whoever is free takes next, so that a helper whose core is busy is
 * never waited for, unless it has taken a chunk. Helpers watch for work while a sentence is encoded
 * and sleep between sentences. Only one sentence has the crew: others go on alone. */
#ifndef TOKPRUNE_CREW_H
#define TOKPRUNE_CREW_H

#include <stdint.h>

enum { MOST_THREADS = 16 };

/* Does one chunk; `worker` is 0 for the caller, 1 and up for helpers. */
typedef void (*Work)(void *context, int chunk, int worker);

#if defined(_WIN32)

/* No helpers on Windows. */
static int join_crew(int n_threads) { return (void)n_threads, 1; }
static void leave_crew(int n_workers) { (void)n_workers; }
static void share(int n_workers, int n_chunks, Work work, void *context) {
  (void)n_workers;
  for (int chunk = 0; chunk < n_chunks; chunk++) work(context, chunk, 0);
}

#else

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { LOOKS_BEFORE_YIELDING = 2000 };

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_t helpers[MOST_THREADS];
  int n_helpers;
  int kept_off; /* the core that helpers keep off: the caller's; -1 if none yet */
  atomic_int n_encoding; /* sentences being encoded in this process, alone or shared */
  atomic_int is_taken, n_awake; /* n_awake: helpers that may watch for work */
  /* Upper half: number of the job; lower half: its next chunk. */
  _Atomic uint64_t next;
  _Atomic uint32_t n_chunks;
  atomic_int n_done;
  Work work;
  void *context;
} crew = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void pause_briefly(unsigned looks) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
  if (looks % LOOKS_BEFORE_YIELDING == 0) sched_yield();
}

/* Takes chunks of the job `number` until none is left. */
static void take_chunks(uint64_t number, int worker) {
  uint64_t next = atomic_load(&crew.next);
  while (next >> 32 == number && (uint32_t)next < atomic_load(&crew.n_chunks)) {
    /* Fails if another has taken it, or if the job is over. */
    if (atomic_compare_exchange_weak(&crew.next, &next, next + 1)) {
      crew.work(crew.context, (int)(uint32_t)next, worker);
      atomic_fetch_add(&crew.n_done, 1);
      next = atomic_load(&crew.next);
    }
  }
}

static void *help(void *number_of_helper) {
  const int worker = (int)(intptr_t)number_of_helper;
  uint64_t done = UINT64_MAX;
  for (unsigned looks = 1;; looks++) {
    /* Before n_awake: who sees a sentence's job then sees how many may work on it, too. */
    const uint64_t number = atomic_load(&crew.next) >> 32;
    if (worker >= atomic_load(&crew.n_awake)) {
#if defined(HAS_TILES)
      _tile_release(); /* nothing for the system to keep */
#endif
      pthread_mutex_lock(&crew.mutex);
      while (worker >= atomic_load(&crew.n_awake)) pthread_cond_wait(&crew.wake, &crew.mutex);
      pthread_mutex_unlock(&crew.mutex);
    } else if (number != done) {
      take_chunks(number, worker);
      done = number;
    } else {
      pause_briefly(looks);
    }
  }
  return NULL;
}

/* A forked child has no helpers, and whatever its parent's other threads were doing is not done
 * here. */
static void start_anew(void) {
  const pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  crew.mutex = mutex;
  crew.wake = wake;
  crew.n_helpers = 0;
  atomic_store(&crew.n_encoding, 0);
  atomic_store(&crew.is_taken, 0);
  atomic_store(&crew.n_awake, 0);
  atomic_store(&crew.n_chunks, 0); /* of a job that nobody here is doing */
}

__attribute__((constructor)) static void watch_forks(void) {
  pthread_atfork(NULL, NULL, start_anew);
}

/* Has the lock. */
static void hire(int n_helpers) {
  while (crew.n_helpers < n_helpers) {
    const intptr_t worker = crew.n_helpers + 1;
    pthread_t *thread = crew.helpers + crew.n_helpers;
    if (pthread_create(thread, NULL, help, (void *)worker)) return; /* goes on with fewer */
    pthread_detach(*thread);
    crew.n_helpers++;
    crew.kept_off = -1;
  }
}

/* Has the lock. Linux likes to wake a thread on the core of the one that woke it, where it would
 * wait for the caller to end. */
static void keep_helpers_off_this_core(void) {
#if defined(__linux__)
  const int here = sched_getcpu();
  cpu_set_t others;
  if (here < 0 || here == crew.kept_off || sched_getaffinity(0, sizeof others, &others)) return;
  CPU_CLR(here, &others);
  if (CPU_COUNT(&others) == 0) return;
  for (int i = 0; i < crew.n_helpers; i++)
    pthread_setaffinity_np(crew.helpers[i], sizeof others, &others);
  crew.kept_off = here;
#endif
}

/* Returns how many threads the caller's sentence gets, at most n_threads; 1 is the caller alone,
 * so if the crew is taken or other sentences are being encoded. */
static int join_crew(int n_threads) {
  const int n_others = atomic_fetch_add(&crew.n_encoding, 1);
  if (n_threads > MOST_THREADS) n_threads = MOST_THREADS;
  n_threads -= n_others;
  int is_free = 0;
  if (n_threads < 2 || !atomic_compare_exchange_strong(&crew.is_taken, &is_free, 1)) return 1;
  pthread_mutex_lock(&crew.mutex);
  hire(n_threads - 1);
  keep_helpers_off_this_core();
  const int n_workers = crew.n_helpers + 1 < n_threads ? crew.n_helpers + 1 : n_threads;
  atomic_store(&crew.n_awake, n_workers);
  pthread_cond_broadcast(&crew.wake);
  pthread_mutex_unlock(&crew.mutex);
  if (n_workers == 1) atomic_store(&crew.is_taken, 0);
  return n_workers;
}

static void leave_crew(int n_workers) {
  if (n_workers > 1) {
    atomic_store(&crew.n_awake, 0);
    atomic_store(&crew.is_taken, 0);
  }
  atomic_fetch_sub(&crew.n_encoding, 1);
}

/* Does all chunks, and returns when the last is done. */
static void share(int n_workers, int n_chunks, Work work, void *context) {
  if (n_workers == 1) {
    for (int chunk = 0; chunk < n_chunks; chunk++) work(context, chunk, 0);
    return;
  }
  /* Nobody holds a chunk of the last job; from here on nobody takes one before all is set. */
  const uint64_t last = atomic_load(&crew.next) >> 32, number = (uint32_t)(last + 1);
  atomic_store(&crew.next, last << 32 | UINT32_MAX);
  crew.work = work;
  crew.context = context;
  atomic_store(&crew.n_done, 0);
  atomic_store(&crew.n_chunks, n_chunks);
  atomic_store(&crew.next, number << 32);
  take_chunks(number, 0);
  for (unsigned looks = 1; atomic_load(&crew.n_done) < n_chunks; looks++) pause_briefly(looks);
}

#endif
#endif
