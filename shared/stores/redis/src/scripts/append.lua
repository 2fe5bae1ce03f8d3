-- KEYS: a record; all records by their time. ARGV: its time; its id; the record; its end, or nothing; how long it is kept
-- after that; what the keys of records begin with.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[4] .. ';' .. ARGV[3])
if ARGV[4] ~= '' then
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(ARGV[4]) + tonumber(ARGV[5])))
end
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[2])
-- Entries do not expire with their records: each new one takes the oldest along.
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, 1)) do
  if redis.call('EXISTS', ARGV[6] .. id) == 0 then redis.call('ZREM', KEYS[2], id) end
end
return 1
