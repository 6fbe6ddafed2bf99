package fr.traverse.elasticsearch;

import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.core.KeywordTokenizer;
import org.apache.lucene.analysis.core.LetterTokenizer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenizer;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.apache.lucene.analysis.util.CharTokenizer;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;

/** The tokenizers, a table: type name to what builds it from its parameters. */
final class Tokenizers {
    private Tokenizers() {}

    /** Reads the parameters once; what it returns makes a tokenizer for every thread. */
    private interface Recipe {
        Supplier<Tokenizer> read(Settings settings);
    }

    static Map<String, AnalysisProvider<TokenizerFactory>> byName() {
        return Map.of(
                "keyword", tokenizer(s -> {
                    int buffer = s.getAsInt("buffer_size", KeywordTokenizer.DEFAULT_BUFFER_SIZE);
                    return () -> new KeywordTokenizer(buffer);
                }),
                "letter", tokenizer(s -> LetterTokenizer::new),
                "whitespace", tokenizer(s -> {
                    int longest = s.getAsInt("max_token_length", CharTokenizer.DEFAULT_MAX_WORD_LEN);
                    return () -> new WhitespaceTokenizer(longest);
                }),
                "pattern", tokenizer(s -> {
                    java.util.regex.Pattern pattern = TokenFilters.pattern(s, "\\W+");
                    int group = s.getAsInt("group", -1);
                    return () -> new PatternTokenizer(pattern, group);
                }),
                "edge_ngram", tokenizer(Tokenizers::edgeNGram));
    }

    private static AnalysisProvider<TokenizerFactory> tokenizer(Recipe recipe) {
        return (index, env, name, settings) -> TokenizerFactory.newFactory(name, recipe.read(settings));
    }

    private static Supplier<Tokenizer> edgeNGram(Settings s) {
        int min = s.getAsInt("min_gram", 1);
        int max = s.getAsInt("max_gram", 2);
        List<String> classes = s.getAsList("token_chars");
        if (classes.isEmpty()) {
            return () -> new EdgeNGramTokenizer(min, max);
        }
        IntPredicate kept = classes.stream()
                .map(name -> characters(name, s.get("custom_token_chars")))
                .reduce(c -> false, IntPredicate::or);
        return () -> new EdgeNGramTokenizer(min, max) {
            @Override
            protected boolean isTokenChar(int character) {
                return kept.test(character);
            }
        };
    }

    private static IntPredicate characters(String name, String custom) {
        return switch (name.toLowerCase(java.util.Locale.ROOT)) {
            case "letter" -> Character::isLetter;
            case "digit" -> Character::isDigit;
            case "whitespace" -> Character::isWhitespace;
            case "punctuation" -> c -> switch (Character.getType(c)) {
                case Character.START_PUNCTUATION, Character.END_PUNCTUATION, Character.OTHER_PUNCTUATION,
                        Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION,
                        Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION -> true;
                default -> false;
            };
            case "symbol" -> c -> switch (Character.getType(c)) {
                case Character.CURRENCY_SYMBOL, Character.MATH_SYMBOL, Character.OTHER_SYMBOL,
                        Character.MODIFIER_SYMBOL -> true;
                default -> false;
            };
            case "custom" -> {
                if (custom == null) {
                    throw new IllegalArgumentException(
                            "Token type: 'custom' requires setting `custom_token_chars`");
                }
                yield c -> custom.indexOf(c) >= 0;
            }
            default -> throw new IllegalArgumentException("Unknown token type: '" + name + "'");
        };
    }
}
