-- KEYS: a value; the names of all values; the ends of those that end. ARGV: its name.
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('DEL', KEYS[1])
